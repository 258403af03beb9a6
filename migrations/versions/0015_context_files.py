"""Context files of agents and users, and which users an agent has met"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0015"

down_revision: str | None = "0014"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MAX_FILE_CHARS = 20_000


def instant(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def files(table: str, *columns: sa.Column[object], unique: Sequence[str]) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        *columns,
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        instant("created_at"),
        instant("updated_at"),
        sa.CheckConstraint(f"char_length(content) <= {MAX_FILE_CHARS}", name=f"{table}_short"),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(*unique),
    )


def upgrade() -> None:
    op.add_column(
        "agents",
        sa.Column(
            "uses_context_files", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
    )
    files("agent_context_files", unique=("agent_id", "file_name"))
    user: sa.Column[object] = sa.Column("user_id", sa.String(), nullable=False)
    files("user_context_files", user, unique=("agent_id", "user_id", "file_name"))
    op.create_index("user_context_files_user", "user_context_files", ["user_id"])
    op.create_table(
        "user_agent_profiles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        instant("first_seen_at"),
        instant("last_seen_at"),
        sa.Column("metadata", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("agent_id", "user_id"),
    )
    op.create_index("user_agent_profiles_user", "user_agent_profiles", ["user_id"])
    op.create_index("user_agent_profiles_page", "user_agent_profiles", ["agent_id", "id"])


def downgrade() -> None:
    op.drop_table("user_agent_profiles")
    op.drop_table("user_context_files")
    op.drop_table("agent_context_files")
    op.drop_column("agents", "uses_context_files")
