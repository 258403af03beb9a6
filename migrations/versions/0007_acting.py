"""Runs that act: what their users say meanwhile, what they may cost, how all are stopped, and
summaries of long sessions
"""

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
    op.create_index(
        "runs_key",
        "runs",
        ["key_id", "id"],
        unique=False,
        postgresql_where=sa.text("key_id is not null"),
    )
    op.add_column("sessions", sa.Column("summary", sa.String(), nullable=True))
    op.add_column(
        "sessions",
        sa.Column("summary_seq", sa.Integer(), server_default="0", nullable=False),
    )
    op.add_column("api_keys", sa.Column("budget_monthly_cents", sa.Integer(), nullable=True))
    op.add_column("api_keys", sa.Column("tokens_per_day", sa.Integer(), nullable=True))
    op.create_table(
        "budget_warnings",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", "since"),
    )
    op.create_table(
        "run_stops",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("stopped_by", sa.String(), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resumed_by", sa.String(), nullable=True),
        sa.Column("resumed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("run_stops")
    op.drop_table("budget_warnings")
    op.drop_column("api_keys", "tokens_per_day")
    op.drop_column("api_keys", "budget_monthly_cents")
    op.drop_column("sessions", "summary_seq")
    op.drop_column("sessions", "summary")
    op.drop_index("runs_key", table_name="runs")
    op.drop_index("runs_unread", table_name="runs")
    op.drop_column("runs", "inbox")
