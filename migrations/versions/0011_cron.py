"""Cron jobs and what came of them"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"

down_revision: str | None = "0010"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def instant(name: str, *, nullable: bool) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "cron_jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        instant("run_at", nullable=True),
        sa.Column("every_s", sa.Integer(), nullable=True),
        sa.Column("expression", sa.String(), nullable=True),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("session_key", sa.String(), nullable=True),
        sa.Column("isolated", sa.Boolean(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("grace_s", sa.Integer(), nullable=False),
        sa.Column("delete_after_run", sa.Boolean(), nullable=False),
        sa.Column("delivery_url", sa.String(), nullable=True),
        sa.Column("delivery_secret", sa.String(), nullable=True),
        instant("anchor", nullable=False),
        instant("next_run_at", nullable=True),
        instant("last_run_at", nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("pause_reason", sa.String(), nullable=True),
        instant("created_at", nullable=False),
        instant("updated_at", nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("cron_jobs_user", "cron_jobs", ["user_id", "id"], unique=False)
    op.create_index("cron_jobs_agent", "cron_jobs", ["agent_id"], unique=False)
    op.create_index(
        "cron_jobs_due",
        "cron_jobs",
        ["next_run_at"],
        unique=False,
        postgresql_where=sa.text("next_run_at is not null"),
    )
    op.create_table(
        "cron_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        instant("due_at", nullable=False),
        instant("started_at", nullable=False),
        instant("ended_at", nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("error_message", sa.String(), nullable=True),
        sa.Column("delivery", sa.Text(), nullable=True),
        sa.Column("delivery_attempts", sa.Integer(), nullable=False),
        instant("delivery_at", nullable=True),
        sa.Column("delivery_http_status", sa.Integer(), nullable=True),
        sa.Column("delivery_error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["cron_jobs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("cron_runs_job", "cron_runs", ["job_id", "id"], unique=False)
    op.create_index(
        "cron_runs_started",
        "cron_runs",
        ["run_id"],
        unique=False,
        postgresql_where=sa.text("status = 'started'"),
    )
    op.create_index(
        "cron_runs_delivery",
        "cron_runs",
        ["delivery_at"],
        unique=False,
        postgresql_where=sa.text("delivery = 'pending'"),
    )


def downgrade() -> None:
    op.drop_table("cron_runs")
    op.drop_table("cron_jobs")
