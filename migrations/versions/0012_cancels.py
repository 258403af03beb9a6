"""Cancelling runs whose worker does not hear it"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"

down_revision: str | None = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("cancel_asked_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("runs", "cancel_asked_at")
