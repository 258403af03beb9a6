"""Runs migrations on the connection that `goclaw.store.migrate` hands in."""

from alembic import context
from sqlmodel import SQLModel

from goclaw.store.job_schema import is_ours
from goclaw.store.tables import TABLES

assert TABLES

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    include_name=lambda name, *_: is_ours(name),
)
with context.begin_transaction():
    context.run_migrations()
