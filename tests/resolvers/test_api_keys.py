"""Keys: bound, rotated, seen at work, refused what they are not for."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from goclaw.app.services import open_services
from goclaw.core.callers import Scope
from goclaw.core.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from goclaw.core.host import Host
from goclaw.core.ids import uuid7
from goclaw.core.paging import PageRequest
from goclaw.models.api_keys import ApiKeyCreate, ApiKeyRotate, CreatedApiKey
from goclaw.models.parsing import parse_json
from goclaw.models.shapes import now
from goclaw.resolvers.agents import get_agent, list_agents
from goclaw.resolvers.api_keys import create_api_key, get_api_key, revoke_api_key, rotate_api_key
from goclaw.resolvers.context import Context
from goclaw.resolvers.enter import Credential, enter
from goclaw.resolvers.providers import list_providers
from goclaw.resolvers.services import Services
from goclaw.store.api_keys import Use, touch_keys
from goclaw.store.database import fetch
from tests.support.callers import add_agent, add_provider, context
from tests.upstream import ScriptedUpstream

SECRET = "goclaw_"


def root(services: Services, **more: Any) -> Context:
    return context(services, None, Scope.ADMIN, **more)


async def made(services: Services, *scopes: Scope, **more: Any) -> CreatedApiKey:
    data = ApiKeyCreate(name="k", scopes=list(scopes or {Scope.READ}), **more)
    return await create_api_key(root(services), data)


async def came_in(services: Services, token: str, address: str | None = "192.0.2.1") -> Context:
    return await enter(services, Credential(token, address=address), "test")


async def activity(services: Services) -> list[Any]:
    sql = "select action, entity_id, details, ip_address from activity_logs order by created_at"
    return [tuple(row) for row in await fetch(services.database.pool, sql, ())]


async def pass_time(services: Services, key_id: UUID, seconds: int) -> None:
    """Moves what is stored of a key into the past; workers see only the clock go on."""
    await fetch(
        services.database.pool,
        "update api_keys set previous_until = previous_until - $2::interval,"
        " expires_at = expires_at - $2::interval where id = $1",
        (key_id, timedelta(seconds=seconds)),
    )
    services.keys.forget(None)


# ------------------------------------------------------------------- rotation


async def test_the_old_secret_works_until_the_grace_is_over(services: Services) -> None:
    key = await made(services)
    rotated = await rotate_api_key(root(services), key.id, ApiKeyRotate(grace_s=100))
    assert (rotated.id, rotated.name) == (key.id, key.name)
    assert rotated.key != key.key
    assert rotated.key.startswith(f"{SECRET}{rotated.prefix}")
    for token in (key.key, rotated.key):
        assert (await came_in(services, token)).caller.key_id == key.id
    await pass_time(services, key.id, 101)
    with pytest.raises(Unauthenticated):
        await came_in(services, key.key)
    assert (await came_in(services, rotated.key)).caller.key_id == key.id


async def test_without_grace_the_old_secret_ends_at_once(services: Services) -> None:
    key = await made(services)
    await came_in(services, key.key)
    rotated = await rotate_api_key(root(services), key.id, ApiKeyRotate())
    with pytest.raises(Unauthenticated):
        await came_in(services, key.key)
    await came_in(services, rotated.key)


async def test_the_grace_ends_no_later_than_the_key(services: Services) -> None:
    key = await made(services, expires_in=50)
    await rotate_api_key(root(services), key.id, ApiKeyRotate(grace_s=100))
    await pass_time(services, key.id, 51)
    with pytest.raises(Unauthenticated):
        await came_in(services, key.key)


async def test_a_second_rotation_ends_the_grace_of_the_first(services: Services) -> None:
    first = await made(services)
    second = await rotate_api_key(root(services), first.id, ApiKeyRotate(grace_s=1000))
    third = await rotate_api_key(root(services), first.id, ApiKeyRotate(grace_s=1000))
    with pytest.raises(Unauthenticated):
        await came_in(services, first.key)
    for token in (second.key, third.key):
        await came_in(services, token)


async def test_a_revoke_ends_old_and_new_secret(services: Services) -> None:
    key = await made(services)
    rotated = await rotate_api_key(root(services), key.id, ApiKeyRotate(grace_s=1000))
    for token in (key.key, rotated.key):
        await came_in(services, token)
    await revoke_api_key(root(services), key.id)
    for token in (key.key, rotated.key):
        with pytest.raises(Unauthenticated):
            await came_in(services, token)


async def test_what_cannot_be_rotated(services: Services) -> None:
    with pytest.raises(NotFound):
        await rotate_api_key(root(services), uuid7(), ApiKeyRotate())
    expired = await made(services, expires_in=10)
    await pass_time(services, expired.id, 11)
    revoked = await made(services)
    await revoke_api_key(root(services), revoked.id)
    for key, code in ((expired, "api_key_expired"), (revoked, "api_key_revoked")):
        with pytest.raises(Conflict) as refused:
            await rotate_api_key(root(services), key.id, ApiKeyRotate())
        assert refused.value.code == code


@pytest.mark.parametrize("grace", [-1, 7 * 24 * 3600 + 1, "1", 1.5, None])
def test_the_grace_is_0_to_7_days(grace: object) -> None:
    sent = f'{{"grace_s": {"null" if grace is None else repr(grace)}}}'.replace("'", '"')
    with pytest.raises(InvalidInput):
        parse_json(ApiKeyRotate, sent.encode())


async def test_a_repeated_rotation_tells_the_same_secret(services: Services) -> None:
    key = await made(services)
    first, again = [
        await rotate_api_key(root(services, idempotency_key="once"), key.id, ApiKeyRotate())
        for _ in range(2)
    ]
    assert first.key == again.key
    await came_in(services, again.key)
    other = ApiKeyRotate(grace_s=1)
    with pytest.raises(Conflict):
        await rotate_api_key(root(services, idempotency_key="once"), key.id, other)


async def test_rotations_at_once_leave_one_secret_that_works(services: Services) -> None:
    key = await made(services)
    rotated = await asyncio.gather(
        *(rotate_api_key(root(services), key.id, ApiKeyRotate()) for _ in range(5))
    )
    results = await asyncio.gather(
        *(came_in(services, token.key) for token in (key, *rotated)), return_exceptions=True
    )
    assert sum(isinstance(result, Context) for result in results) == 1


# ------------------------------------------------------------------- what it is bound to


async def test_a_key_reaches_the_agents_it_is_bound_to(
    services: Services, upstream: ScriptedUpstream
) -> None:
    provider = await add_provider(services, upstream)
    mine, other = [await add_agent(services, provider, key) for key in ("mine", "other")]
    key = await made(services, Scope.WRITE, user_id="ada", agent_ids=[mine.id])
    ctx = await came_in(services, key.key)
    assert ctx.caller.agent_ids == frozenset({mine.id})
    assert [row.id for row in (await list_agents(ctx, PageRequest())).rows] == [mine.id]
    assert (await get_agent(ctx, "mine")).id == mine.id
    with pytest.raises(NotFound):
        await get_agent(ctx, other.id)
    assert (await list_providers(ctx, PageRequest())).rows


async def test_an_owners_bound_key_reaches_no_further(
    host: Host, upstream: ScriptedUpstream
) -> None:
    settings = host.settings.model_copy(update={"owner_ids": ("ada",)})
    async with open_services(replace(host, settings=settings)) as services:
        provider = await add_provider(services, upstream)
        mine, _ = [await add_agent(services, provider, key) for key in ("mine", "other")]
        key = await made(services, Scope.WRITE, user_id="ada", agent_ids=[mine.id])
        ctx = await came_in(services, key.key)
        assert ctx.caller.sees_all
        assert [row.id for row in (await list_agents(ctx, PageRequest())).rows] == [mine.id]


async def test_what_a_key_cannot_be_bound_to(services: Services) -> None:
    with pytest.raises(NotFound):
        await made(services, agent_ids=[uuid7()])
    with pytest.raises(InvalidInput) as refused:
        await made(services, Scope.ADMIN, agent_ids=[uuid7()])
    assert refused.value.code == "admin_key_not_bound"
    with pytest.raises(InvalidInput):
        parse_json(ApiKeyCreate, b'{"name": "k", "scopes": ["operator.read"], "agent_ids": []}')


@pytest.mark.parametrize("seconds", [-1, -3600])
def test_weakness_22_a_key_that_has_ended_already_is_not_made(seconds: int) -> None:
    sent = f'{{"name": "k", "scopes": ["operator.read"], "expires_in": {seconds}}}'
    with pytest.raises(InvalidInput):
        parse_json(ApiKeyCreate, sent.encode())


async def test_weakness_22_absent_and_0_are_never_as_documented(services: Services) -> None:
    assert (await made(services)).expires_at is None
    assert (await made(services, expires_in=0)).expires_at is None


# ------------------------------------------------------------------- what is seen of it


async def test_what_a_key_does_is_visible(services: Services) -> None:
    key = await made(services)
    before = await get_api_key(root(services), key.id)
    assert (before.last_used_at, before.last_used_address, before.calls_today) == (None, None, 0)
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
        await came_in(services, key.key, address)
    await services.key_use.flush()
    seen = await get_api_key(root(services), key.id)
    assert (seen.last_used_address, seen.calls_today) == ("192.0.2.3", 3)
    assert seen.last_used_at is not None
    await came_in(services, key.key)
    await services.key_use.flush()
    assert (await get_api_key(root(services), key.id)).calls_today == 4


async def test_workers_add_up_and_the_latest_use_stays(services: Services) -> None:
    keys = [(await made(services)).id for _ in range(20)]
    at = now()
    batches = [
        {id: Use(at - timedelta(seconds=worker), f"192.0.2.{worker}", 2) for id in order}
        for worker in range(6)
        for order in (keys, keys[::-1])
    ]
    await asyncio.gather(*(touch_keys(services.database, batch) for batch in batches))
    for id in keys:
        seen = await get_api_key(root(services), id)
        assert (seen.last_used_at, seen.last_used_address) == (at, "192.0.2.0")
        assert seen.calls_today == 2 * len(batches)


async def test_yesterdays_calls_are_not_todays(services: Services) -> None:
    key = await made(services)
    yesterday = Use(now() - timedelta(days=1), "192.0.2.1", 7)
    await touch_keys(services.database, {key.id: yesterday})
    assert (await get_api_key(root(services), key.id)).calls_today == 0
    await touch_keys(services.database, {key.id: Use(now(), "192.0.2.2", 1)})
    await touch_keys(services.database, {key.id: yesterday})  # a worker whose database was away
    seen = await get_api_key(root(services), key.id)
    assert (seen.calls_today, seen.last_used_address) == (1, "192.0.2.2")


async def test_uses_that_cannot_be_written_are_kept(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await made(services)

    async def away(*_: object) -> None:
        raise Unavailable("database_unavailable")

    await came_in(services, key.key)
    with monkeypatch.context() as patched:
        patched.setattr("goclaw.resolvers.key_use.touch_keys", away)
        await services.key_use.flush()
        await came_in(services, key.key)
        await services.key_use.flush()
    await services.key_use.flush()
    assert (await get_api_key(root(services), key.id)).calls_today == 2


async def test_refused_use_is_one_row_a_key_operation_and_minute(
    services: Services, host: Host
) -> None:
    key = await made(services, Scope.READ, user_id="ada")
    async with open_services(host, serving=False) as elsewhere:
        for worker in (services, elsewhere):
            for _ in range(30):
                ctx = await came_in(worker, key.key)
                with pytest.raises(Forbidden):
                    await create_api_key(ctx, ApiKeyCreate(name="k", scopes=[Scope.READ]))
        await asyncio.gather(services.key_use.flush(), elsewhere.key_use.flush())
        await elsewhere.key_use.flush()
    rows = [row for row in await activity(services) if row[0] == "api_key.refused"]
    details = {"operation": "create_api_key", "scope": "operator.admin"}
    assert 1 <= len(rows) <= 2  # a minute may have passed
    assert rows[:1] * len(rows) == rows
    assert rows[0] == ("api_key.refused", str(key.id), details, "192.0.2.1")


async def test_weakness_22_what_happens_to_keys_is_audited_without_secrets(
    services: Services,
) -> None:
    key = await made(services, user_id="ada", rate_limit_per_minute=60)
    rotated = await rotate_api_key(root(services), key.id, ApiKeyRotate(grace_s=60))
    await revoke_api_key(root(services), key.id)
    rows = await activity(services)
    assert [row[0] for row in rows] == ["api_key.created", "api_key.rotated", "api_key.revoked"]
    assert rows[0][2] == {
        "name": "k",
        "scopes": ["operator.read"],
        "user_id": "ada",
        "rate_limit_per_minute": 60,
    }
    assert rows[1][2] == {"name": "k", "grace_s": 60}
    for token in (key.key, rotated.key):
        assert token[-20:] not in str(rows)


# ------------------------------------------------------------------- the cache behind


@pytest.fixture
def look_ups(services: Services, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []
    look_up = services.keys._look_up

    async def counted(digest: str) -> Any:
        asked.append(digest)
        return await look_up(digest)

    monkeypatch.setattr(services.keys, "_look_up", counted)
    return asked


async def trusting(services: Services) -> None:
    for _ in range(2000):
        if services.trust.holds:
            return
        await asyncio.sleep(0.005)
    raise TimeoutError


async def test_behaviour_19_a_change_of_keys_is_looked_up_again(
    services: Services, look_ups: list[str]
) -> None:
    key = await made(services)
    await trusting(services)
    for _ in range(2):
        await came_in(services, key.key)
    assert len(look_ups) == 1
    await services.trust.invalidate({"api_keys": {str(key.id)}}, 0)
    await trusting(services)
    await came_in(services, key.key)
    assert len(look_ups) == 2


async def test_behaviour_20_other_changes_leave_keys_alone(
    services: Services, look_ups: list[str]
) -> None:
    key = await made(services)
    await trusting(services)
    await came_in(services, key.key)
    services.trust._forget({"agents": {str(key.id)}}, 0)
    await came_in(services, key.key)
    assert len(look_ups) == 1


async def test_weakness_20_a_key_is_good_again_when_the_database_is(
    services: Services, look_ups: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await made(services)

    async def away(_: str) -> None:
        raise Unavailable("database_unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(services.keys, "_look_up", away)
        with pytest.raises(Unavailable):
            await came_in(services, key.key)
    await came_in(services, key.key)


async def test_revoking_twice_waits_like_the_first_time(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []

    async def noted(outdated: Any, epoch: int) -> None:
        told.append(outdated)

    key = await made(services)
    monkeypatch.setattr(type(services.trust), "invalidate", lambda _, *told: noted(*told))
    for _ in range(2):
        await revoke_api_key(root(services), key.id)
    assert told == [{"api_keys": {str(key.id)}}] * 2
