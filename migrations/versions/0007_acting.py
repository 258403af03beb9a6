"""Runs that act: what their users say meanwhile"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0007"

down_revision: str | None = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "runs", sa.Column("inbox", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    )
    op.create_index(
        "runs_unread", "runs", ["id"], unique=False, postgresql_where=sa.text("inbox <> '[]'")
    )


def downgrade() -> None:
    op.drop_index("runs_unread", table_name="runs")
    op.drop_column("runs", "inbox")
