"""What a server that stops still writes."""

import pytest

from goclaw.app.services import _flush
from goclaw.core.callers import Scope
from goclaw.models.api_keys import ApiKeyCreate
from goclaw.resolvers.api_keys import create_api_key
from goclaw.resolvers.services import Services
from tests.support.callers import context


async def test_what_cannot_be_written_hinders_nothing_else(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = context(services, None, Scope.ADMIN)
    made = await create_api_key(admin, ApiKeyCreate(name="used", scopes=[Scope.READ]))
    services.key_use.note(made.id, "127.0.0.1")

    async def broken() -> None:
        raise RuntimeError("no room left")

    monkeypatch.setattr(services.traces, "flush", broken)
    await _flush(services)
    used = "select last_used_at is not null from api_keys where id = $1"
    assert await services.database.pool.fetchval(used, made.id)
