"""Sessions that go on are found by all that is asked of them, new ones need no entry"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0016"

down_revision: str | None = "0015"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.drop_index("sessions_prefix", "sessions")
    op.create_index(
        "sessions_prefix",
        "sessions",
        ["prefix_hash", "user_id", "agent_id", "id"],
        postgresql_where=sa.text("prefix_hash is not null"),
    )


def downgrade() -> None:
    op.drop_index("sessions_prefix", "sessions")
    op.create_index("sessions_prefix", "sessions", ["prefix_hash"])
