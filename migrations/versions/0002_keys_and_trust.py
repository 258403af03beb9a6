"""What keys are bound to, limited to and used for; what workers may remember"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def key_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("agent_ids", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("rate_limit_per_minute", sa.Integer(), nullable=True),
        sa.Column("previous_hash", sa.String(), nullable=True),
        sa.Column("previous_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_address", sa.String(), nullable=True),
        sa.Column("calls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("calls_on", sa.Date(), nullable=True),
    ]


def upgrade() -> None:
    for column in key_columns():
        op.add_column("api_keys", column)
    op.create_index("api_keys_previous_hash", "api_keys", ["previous_hash"], unique=True)
    op.create_table(
        "trust_epoch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "trusting_workers",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def downgrade() -> None:
    op.drop_table("trusting_workers")
    op.drop_table("trust_epoch")
    op.drop_index("api_keys_previous_hash", table_name="api_keys")
    for column in key_columns():
        op.drop_column("api_keys", column.name)
