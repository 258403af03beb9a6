"""What no single part of the server decides: who somebody is, where several parts meet."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from goclaw.core.callers import Scope
from goclaw.core.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from goclaw.core.host import Host
from goclaw.core.paging import PageRequest
from goclaw.models.api_keys import ApiKeyCreate, ApiKeyRotate
from goclaw.models.chat import ChatRequest, Wake
from goclaw.models.runs import RunStatus
from goclaw.resolvers.api_keys import create_api_key, get_api_key, rotate_api_key
from goclaw.resolvers.chat import start_chat
from goclaw.resolvers.context import Context
from goclaw.resolvers.enter import Credential, enter
from goclaw.resolvers.runs import get_run
from goclaw.resolvers.services import Services
from goclaw.resolvers.sign_in import (
    count_web_sessions,
    end_web_session,
    list_web_sessions,
    sign_in,
    sign_out,
)
from goclaw.resolvers.traces import list_costs
from goclaw.resolvers.turns import chat_target
from goclaw.resolvers.wakes import start_wake, wake_agent
from tests.support.callers import add_agent, add_provider, context
from tests.upstream import ScriptedUpstream


def root(services: Services) -> Context:
    return context(services, None, Scope.ADMIN)


async def key_of(services: Services, *scopes: Scope, **more: Any) -> str:
    data = ApiKeyCreate(name="k", scopes=list(scopes), **more)
    return (await create_api_key(root(services), data)).key


async def came_in(services: Services, token: str | None, **more: str) -> Context:
    return await enter(services, Credential(token, **more), "test")


class TestTheServerItself:
    """`system` owns what the administrator and the server wrote in nobody's name."""

    @pytest.mark.parametrize("named", ["user_id", "body_user"])
    async def test_weakness_13_no_user_is_called_like_it(
        self, services: Services, named: str
    ) -> None:
        token = await key_of(services, Scope.WRITE)
        with pytest.raises(Forbidden) as refused:
            await came_in(services, token, **{named: "system"})
        assert refused.value.code == "user_reserved"

    async def test_no_key_is_bound_to_it(self, services: Services) -> None:
        with pytest.raises(InvalidInput) as refused:
            await key_of(services, Scope.WRITE, user_id="system")
        assert refused.value.code == "user_reserved"

    async def test_a_key_that_was_bound_to_it_before_opens_nothing(
        self, services: Services
    ) -> None:
        token = await key_of(services, Scope.WRITE, user_id="ada")
        await services.database.pool.execute("update api_keys set user_id = 'system'")
        with pytest.raises(Forbidden):
            await came_in(services, token)

    async def test_the_administrator_may_be_it(self, services: Services) -> None:
        token = await key_of(services, Scope.ADMIN)
        ctx = await came_in(services, token, user_id="system")
        assert ctx.caller.actor == "system"


class TestAnOpenServer:
    @pytest.fixture
    def host(self, host: Host) -> Host:
        settings = host.settings.model_copy(update={"gateway_token": None})
        return Host(settings, host.dsn, host.started_at)

    async def test_nobody_is_the_server_itself(self, services: Services) -> None:
        with pytest.raises(Forbidden):
            await came_in(services, None, user_id="system")


async def test_a_cached_target_is_of_those_agents_alone_that_a_key_is_bound_to(
    services: Services, upstream: ScriptedUpstream
) -> None:
    provider = await add_provider(services, upstream)
    mine, other = [await add_agent(services, provider, key) for key in ("mine", "other")]
    keys = [
        await key_of(services, Scope.WRITE, user_id="ada", agent_ids=ids)
        for ids in (None, [mine.id], [other.id])
    ]
    unbound, of_mine, of_other = [await came_in(services, token) for token in keys]
    async with asyncio.timeout(10):
        while not services.trust.holds:  # noqa: ASYNC110 - it is only kept up while asked
            await asyncio.sleep(0.01)
    for ctx in (unbound, of_mine):
        assert (await chat_target(ctx, "mine", or_default=False)).id == mine.id
    assert len(services.targets) == 2
    for ref in ("mine", mine.id):
        with pytest.raises(NotFound):
            await chat_target(of_other, ref, or_default=False)
    with pytest.raises(NotFound):
        await chat_target(of_other, "mine", or_default=True)


async def spoken(ctx: Context, *agents: str) -> None:
    for agent in agents:
        said = {"model": f"goclaw:{agent}", "messages": [{"role": "user", "content": "Hi"}]}
        run = await start_chat(ctx, ChatRequest.model_validate(said))
        await run.reply()


async def test_totals_of_a_bound_key_are_those_of_its_agents(
    services: Services, upstream: ScriptedUpstream
) -> None:
    """Also where the key's user owns others: an owner sees what all who use them cost."""
    provider = await add_provider(services, upstream)
    mine, other = [await add_agent(services, provider, key) for key in ("mine", "other")]
    await spoken(context(services), "mine", "other")
    owner = await came_in(services, await key_of(services, Scope.READ, user_id="ada"))
    assert {row.agent_id for row in await list_costs(owner)} == {mine.id, other.id}
    token = await key_of(services, Scope.READ, user_id="ada", agent_ids=[mine.id])
    bound = await came_in(services, token)
    assert [row.agent_id for row in await list_costs(bound)] == [mine.id]
    assert list(await list_costs(bound, other.id)) == []


async def test_a_repeat_with_a_key_that_may_not_see_the_run_does_not_wait_for_it(
    services: Services, upstream: ScriptedUpstream
) -> None:
    provider = await add_provider(services, upstream)
    _, other = [await add_agent(services, provider, key) for key in ("mine", "other")]
    upstream.silence()
    first = context(services, idempotency_key="once")
    run = await start_wake(first, "mine", Wake(message="Hi"))
    token = await key_of(services, Scope.WRITE, user_id="ada", agent_ids=[other.id])
    bound = await came_in(services, token, idempotency_key="once")
    for repeat in (wake_agent, start_wake):
        async with asyncio.timeout(5):
            with pytest.raises(NotFound):
                await repeat(bound, "mine", Wake(message="Hi"))
        assert (await get_run(first, run.id)).status == RunStatus.QUEUED


async def signed_in(services: Services, token: str) -> Credential:
    made = await sign_in(await came_in(services, token))
    return Credential(None, session=made.secret)


async def test_pages_are_out_of_reach_of_a_bound_key(
    services: Services, upstream: ScriptedUpstream
) -> None:
    """They are of no agent, and may be signed in with all rights of the user."""
    agent = await add_agent(services, await add_provider(services, upstream))
    page = await signed_in(services, await key_of(services, Scope.WRITE, user_id="ada"))
    token = await key_of(services, Scope.WRITE, user_id="ada", agent_ids=[agent.id])
    bound = await came_in(services, token)
    id = (await enter(services, page, "test")).caller.session_id
    assert id is not None
    for refused in (
        list_web_sessions(bound, PageRequest()),
        count_web_sessions(bound),
        end_web_session(bound, id),
    ):
        with pytest.raises(Forbidden):
            await refused
    own = await enter(services, await signed_in(services, token), "test")
    await sign_out(own)
    assert (await enter(services, page, "test")).caller.session_id == id


async def pass_time(services: Services, key_id: UUID, seconds: int) -> None:
    """Moves what is stored of a key and its pages into the past."""
    for sql in (
        "update api_keys set previous_until = previous_until - $2 * interval '1 s' where id = $1",
        "update web_sessions set expires_at = expires_at - $2 * interval '1 s' where key_id = $1",
    ):
        await services.database.pool.execute(sql, key_id, seconds)
    services.keys.forget(None)


class TestARotatedKey:
    """Whoever had the old secret has no more of it afterwards than whoever has the old secret."""

    async def rotated(self, services: Services, grace_s: int = 0) -> tuple[Credential, str, UUID]:
        token = await key_of(services, Scope.READ)
        page = await signed_in(services, token)
        id = (await enter(services, page, "test")).caller.key_id
        assert id is not None
        renewed = await rotate_api_key(root(services), id, ApiKeyRotate(grace_s=grace_s))
        return page, renewed.key, id

    async def is_in(self, services: Services, page: Credential) -> bool:
        try:
            return (await enter(services, page, "test", again=True)).signed_in
        except Unauthenticated:
            return False

    async def test_ends_pages_signed_in_with_the_old_secret(self, services: Services) -> None:
        page, renewed, _ = await self.rotated(services)
        assert not await self.is_in(services, page)
        assert await self.is_in(services, await signed_in(services, renewed))

    async def test_ends_them_with_the_grace(self, services: Services) -> None:
        page, renewed, id = await self.rotated(services, grace_s=3600)
        meanwhile = await signed_in(services, renewed)
        assert await self.is_in(services, page)
        assert await self.is_in(services, meanwhile)
        await pass_time(services, id, 3600)
        assert not await self.is_in(services, page)
        assert not await self.is_in(services, meanwhile)
        assert await self.is_in(services, await signed_in(services, renewed))


async def test_an_open_connection_is_no_call_with_its_key(services: Services) -> None:
    token = await key_of(services, Scope.READ)
    ctx = await came_in(services, token)
    for _ in range(3):
        await enter(services, Credential(token), "test", again=True)
    await services.key_use.flush()
    assert ctx.caller.key_id is not None
    assert (await get_api_key(root(services), ctx.caller.key_id)).calls_today == 1
