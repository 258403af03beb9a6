"""Hubs on a database of their own; each hub is what one worker has."""

from collections.abc import AsyncIterator

import pytest

from goclaw.events.hub import QUEUE_LIMIT, EventHub
from goclaw.events.postgres import PostgresBackend
from goclaw.store.connections import open_pool
from goclaw.store.events import PostgresLog
from goclaw.store.fanout import PostgresFanout
from goclaw.store.pool import Pool


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with await open_pool(dsn, 5) as pool:
        yield pool


@pytest.fixture
async def hub(pool: Pool, dsn: str) -> AsyncIterator[EventHub]:
    hub = make_hub(pool, dsn)
    await hub.start()
    yield hub
    await hub.stop()


@pytest.fixture
async def other_hub(pool: Pool, dsn: str) -> AsyncIterator[EventHub]:
    """Another worker on the same database."""
    hub = make_hub(pool, dsn)
    await hub.start()
    yield hub
    await hub.stop()


def make_hub(pool: Pool, dsn: str, queue_limit: int = QUEUE_LIMIT) -> EventHub:
    backend = PostgresBackend(PostgresFanout(pool, dsn))
    return EventHub(PostgresLog(pool), backend, queue_limit=queue_limit)
