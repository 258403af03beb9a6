"""Contents can be left out; accounts outlive their runs; chores are done once."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0004"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # A server of before goes on adding agents without naming the column.
    op.add_column(
        "agents",
        sa.Column("store_contents", sa.Boolean(), nullable=False, server_default=sa.text("true")),
    )
    op.create_table(
        "usage_days",
        sa.Column("day", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("provider_name", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("unpriced_runs", sa.Integer(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cached_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_usd", sa.Numeric(precision=20, scale=8), nullable=False),
        sa.PrimaryKeyConstraint("day", "agent_id", "user_id", "provider_name", "model"),
    )
    op.create_index("usage_days_user", "usage_days", ["user_id", "day"], unique=False)
    op.create_table(
        "chores",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("claimed_by", sa.String(), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def downgrade() -> None:
    op.drop_table("chores")
    op.drop_index("usage_days_user", table_name="usage_days")
    op.drop_table("usage_days")
    op.drop_column("agents", "store_contents")
