"""Signed-in pages"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"

down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "web_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("token_proof", sa.String(), nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("user_agent", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("web_sessions_secret", "web_sessions", ["secret_hash"], unique=True)
    op.create_index("web_sessions_key", "web_sessions", ["key_id", "last_seen_at"])
    op.create_index("web_sessions_user", "web_sessions", ["user_id", "id"])


def downgrade() -> None:
    op.drop_table("web_sessions")
