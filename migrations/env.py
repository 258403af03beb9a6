"""Runs migrations on the connection that `goclaw.store.migrate` hands in."""

from alembic import context
from sqlmodel import SQLModel

from goclaw.store.tables import TABLES

assert TABLES

context.configure(
    connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata
)
with context.begin_transaction():
    context.run_migrations()
