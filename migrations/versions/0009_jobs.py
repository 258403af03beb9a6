"""Runs that wait for a worker, and the tables of the job engine"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from goclaw.store.job_schema import job_schema

revision: str = "0009"

down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

DROP = """
drop table procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs,
    procrastinate_workers cascade;
do $$ declare item record; begin
    for item in select oid::regprocedure as name from pg_proc
        where proname like 'procrastinate\\_%' and pronamespace = current_schema()::regnamespace
    loop execute 'drop function ' || item.name || ' cascade'; end loop;
    for item in select typname as name from pg_type where typtype in ('c', 'e')
        and typname like 'procrastinate\\_job\\_%'
        and typnamespace = current_schema()::regnamespace
    loop execute 'drop type ' || item.name || ' cascade'; end loop;
end $$;
"""


def _run(script: str) -> None:
    """Many statements at once, which a prepared one cannot hold."""
    connection = op.get_bind().connection.dbapi_connection
    assert connection is not None
    connection.run_async(lambda driver: driver.execute(script))


def upgrade() -> None:
    op.add_column("runs", sa.Column("lane", sa.Text(), nullable=True))
    op.add_column(
        "runs", sa.Column("asked", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    )
    op.add_column(
        "runs",
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    op.create_index(
        "runs_queued",
        "runs",
        ["agent_id", "user_id"],
        unique=False,
        postgresql_where=sa.text("status = 'queued'"),
    )
    _run(job_schema())


def downgrade() -> None:
    _run(DROP)
    op.drop_index("runs_queued", table_name="runs")
    op.drop_column("runs", "attempts")
    op.drop_column("runs", "asked")
    op.drop_column("runs", "lane")
