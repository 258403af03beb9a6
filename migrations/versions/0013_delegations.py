"""Links between agents, and the tasks they give one another"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0013"

down_revision: str | None = "0012"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

HISTORY_INDEXES = (
    ("delegation_history_user", ["user_id", "id"], None),
    ("delegation_history_source", ["source_agent_id", "id"], None),
    ("delegation_history_target", ["target_agent_id", "id"], None),
    ("delegation_history_parent", ["parent_id"], None),
    ("delegation_history_parent_run", ["parent_run_id"], None),
    ("delegation_history_running", ["id"], "status = 'running'"),
    ("delegation_history_announce", ["announce_at"], "announce_at is not null"),
)


def instant(name: str, *, nullable: bool) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "agent_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_agent_id", sa.Uuid(), nullable=False),
        sa.Column("target_agent_id", sa.Uuid(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("max_concurrent", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("allow_users", postgresql.JSONB(), nullable=True),
        sa.Column("deny_users", postgresql.JSONB(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        instant("created_at", nullable=False),
        instant("updated_at", nullable=False),
        sa.ForeignKeyConstraint(["source_agent_id"], ["agents.id"]),
        sa.ForeignKeyConstraint(["target_agent_id"], ["agents.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source_agent_id", "target_agent_id"),
    )
    op.create_index("agent_links_target", "agent_links", ["target_agent_id"])
    op.create_table(
        "delegation_history",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("source_agent_id", sa.Uuid(), nullable=False),
        sa.Column("target_agent_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("parent_run_id", sa.Uuid(), nullable=False),
        sa.Column("parent_session_id", sa.Uuid(), nullable=True),
        sa.Column("parent_trace_id", sa.Uuid(), nullable=False),
        sa.Column("path", postgresql.JSONB(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("trace_id", sa.Uuid(), nullable=True),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("result", sa.String(), nullable=True),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("iterations", sa.Integer(), nullable=False),
        sa.Column("input_tokens", sa.Integer(), nullable=False),
        sa.Column("output_tokens", sa.Integer(), nullable=False),
        sa.Column("cost_usd", sa.Numeric(14, 8), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        instant("announce_at", nullable=True),
        instant("created_at", nullable=False),
        instant("updated_at", nullable=False),
        instant("completed_at", nullable=True),
        sa.ForeignKeyConstraint(["source_agent_id"], ["agents.id"]),
        sa.ForeignKeyConstraint(["target_agent_id"], ["agents.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for name, columns, where in HISTORY_INDEXES:
        condition = None if where is None else sa.text(where)
        op.create_index(name, "delegation_history", columns, postgresql_where=condition)
    op.create_index("delegation_history_run", "delegation_history", ["run_id"], unique=True)
    op.create_index(
        "traces_parent",
        "traces",
        ["parent_trace_id"],
        postgresql_where=sa.text("parent_trace_id is not null"),
    )


def downgrade() -> None:
    op.drop_index("traces_parent", "traces")
    op.drop_table("delegation_history")
    op.drop_table("agent_links")
