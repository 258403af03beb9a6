"""What runs used, by hour"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"

down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

COUNTS = ("runs", "failed_runs", "model_calls", "unpriced_calls", "tool_calls")
SUMS = (
    "duration_ms",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)


def upgrade() -> None:
    op.create_table(
        "usage_hours",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("provider_name", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in COUNTS),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in SUMS),
        sa.Column("cost_usd", sa.Numeric(precision=20, scale=8), nullable=False),
        sa.PrimaryKeyConstraint("hour", "agent_id", "user_id", "provider_name", "model", "channel"),
    )
    op.create_index("usage_hours_user", "usage_hours", ["user_id", "hour"], unique=False)
    op.create_index("usage_hours_agent", "usage_hours", ["agent_id", "hour"], unique=False)
    counted = op.create_table(
        "usage_counted",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.bulk_insert(counted, [{"id": 1, "until": None}])
    op.create_index("runs_ended", "runs", ["ended_at"], unique=False)


def downgrade() -> None:
    op.drop_index("runs_ended", table_name="runs")
    op.drop_table("usage_counted")
    op.drop_index("usage_hours_agent", table_name="usage_hours")
    op.drop_index("usage_hours_user", table_name="usage_hours")
    op.drop_table("usage_hours")
