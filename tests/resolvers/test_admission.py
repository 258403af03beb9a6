"""Open connections: asked about again, and how long they outlive what cannot be asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from goclaw.core.callers import Scope
from goclaw.core.errors import GatewayError, Unauthenticated, Unavailable
from goclaw.core.locales import Locale
from goclaw.models.api_keys import ApiKeyCreate
from goclaw.resolvers import admission
from goclaw.resolvers.admission import Admission, Admissions
from goclaw.resolvers.api_keys import create_api_key, revoke_api_key
from goclaw.resolvers.enter import Credential, enter
from goclaw.resolvers.services import Services
from tests.support.callers import context


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(admission, "CHECK_S", 0.05)
    monkeypatch.setattr(admission, "OUTAGE_S", 0.5)
    return monkeypatch


async def away(*_: object, **__: object) -> Any:
    raise Unavailable("database_unavailable")


@asynccontextmanager
async def admitted(services: Services) -> AsyncIterator[tuple[Admission, Any]]:
    root = context(services, None, Scope.ADMIN)
    key = await create_api_key(root, ApiKeyCreate(name="k", scopes=[Scope.READ]))
    async with Admissions(services).admit(Credential(key.key), "test") as held:
        yield held, lambda: revoke_api_key(root, key.id)


async def over(held: Admission) -> GatewayError:
    return await asyncio.wait_for(held.over(), 10)


async def test_a_connection_outlives_a_short_outage(
    services: Services, quick: pytest.MonkeyPatch
) -> None:
    quick.setattr(admission, "OUTAGE_S", 2.0)  # a machine that is busy is no outage
    async with admitted(services) as (held, _):
        with quick.context() as broken:
            broken.setattr(admission, "enter", away)
            await asyncio.sleep(0.2)
            held.check()
        await asyncio.sleep(2.2)
        held.check()


async def test_an_outage_ends_it_after_its_time(
    services: Services, quick: pytest.MonkeyPatch
) -> None:
    async with admitted(services) as (held, _):
        quick.setattr(admission, "enter", away)
        assert isinstance(await over(held), Unavailable)
        with pytest.raises(Unavailable):
            held.context(Locale.EN)


async def test_a_check_that_breaks_is_not_the_last_one(
    services: Services, quick: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def broken(*_: object, **__: object) -> Any:
        asked.set()
        raise RuntimeError

    async with admitted(services) as (held, _):
        with quick.context() as breaking:
            breaking.setattr(admission, "enter", broken)
            await asyncio.wait_for(asked.wait(), 10)
        held.check()
        await services.database.pool.execute("update api_keys set revoked = true")
        services.keys.forget(None)
        assert (await over(held)).code == "credential_ended"


async def test_checks_that_go_on_breaking_end_it_like_an_outage(
    services: Services, quick: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> Any:
        raise RuntimeError

    async with admitted(services) as (held, _):
        quick.setattr(admission, "enter", broken)
        assert (await over(held)).code == "internal"


async def test_one_that_hangs_holds_up_no_other_and_ends_like_an_outage(
    services: Services, quick: pytest.MonkeyPatch
) -> None:
    admissions = Admissions(services)
    root = context(services, None, Scope.ADMIN)
    keys = [
        await create_api_key(root, ApiKeyCreate(name="k", scopes=[Scope.READ])) for _ in range(2)
    ]
    first, second = [Credential(key.key) for key in keys]
    let_go = asyncio.Event()

    async def hanging(services: Services, credential: Credential, *more: Any, **how: Any) -> Any:
        while credential == first and not let_go.is_set():
            with suppress(asyncio.CancelledError):  # as the driver does while it cancels
                await let_go.wait()
        return await enter(services, credential, *more, **how)

    async with admissions.admit(first, "test") as stuck, admissions.admit(second, "test") as held:
        quick.setattr(admission, "enter", hanging)
        await asyncio.sleep(0.1)
        await revoke_api_key(root, keys[1].id)
        assert (await over(held)).code == "credential_ended"
        assert isinstance(await over(stuck), Unavailable)
        let_go.set()


async def test_a_revoke_ends_it_without_waiting_for_the_next_check(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "CHECK_S", 3600)
    async with admitted(services) as (held, revoke):
        await revoke()
        ended = await over(held)
    assert (type(ended), ended.code) == (Unauthenticated, "credential_ended")


async def test_the_check_finds_what_no_message_told(
    services: Services, quick: pytest.MonkeyPatch
) -> None:
    async with admitted(services) as (held, _):
        await services.database.pool.execute("update api_keys set revoked = true")
        services.keys.forget(None)
        assert (await over(held)).code == "credential_ended"


async def test_what_it_guards_is_cut_off_with_the_reason(services: Services) -> None:
    async with admitted(services) as (held, revoke):
        revoking = asyncio.create_task(revoke())
        with pytest.raises(Unauthenticated) as cut:
            async with held.cutting():
                await asyncio.sleep(10)
        await revoking
        assert cut.value.code == "credential_ended"
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0


async def test_who_hangs_up_is_cancelled_and_told_nothing(services: Services) -> None:
    async with admitted(services) as (held, _):

        async def guarded() -> None:
            async with held.cutting():
                await asyncio.sleep(10)

        task = asyncio.create_task(guarded())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_nothing_is_asked_when_nobody_holds_a_connection(services: Services) -> None:
    async with admitted(services) as (held, _):
        admissions = held
    assert not admissions.holders
    await asyncio.sleep(0)
    names = [getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()]
    assert not [name for name in names if name.startswith("Admissions.")]
