"""Wakes are jobs: they wait their turn, any server carries them, each is carried once."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from goclaw.core.callers import Scope
from goclaw.core.errors import Conflict, RateLimited, UpstreamFailed
from goclaw.models.agents import AgentView
from goclaw.models.api_keys import ApiKeyCreate
from goclaw.models.chat import SendMessage, Wake
from goclaw.models.run_events import RunEnded, RunEvent, RunText
from goclaw.resolvers.api_keys import create_api_key, revoke_api_key
from goclaw.resolvers.following import watch_run
from goclaw.resolvers.runs import cancel_run, get_run, send_message
from goclaw.resolvers.sessions import get_session
from goclaw.resolvers.wakes import start_wake, wake_agent
from tests.jobs.conftest import WORD, Serve, Sql, until_asked, until_status
from tests.support.callers import add_agent, add_provider, context
from tests.support.server import RunningServer
from tests.upstream import ScriptedUpstream

WAITING = "select count(*) from procrastinate_jobs"


def wake(**more: Any) -> Wake:
    return Wake(message="Wake up.", **more)


async def texts(sql: Sql, run_id: UUID) -> list[str]:
    rows = await sql("select content from messages where run_id = $1 order by seq", run_id)
    return [row["content"] for row in rows]


async def test_another_server_carries_it_and_the_caller_is_told(
    serve: Serve, upstream: ScriptedUpstream, sql: Sql
) -> None:
    async with serve(carry_jobs=False) as here, serve() as there:
        agent = await add_agent(here.services, await add_provider(here.services, upstream))
        upstream.reply(WORD * 20, deltas=20, every=0.02)
        woken = await wake_agent(context(here.services), agent.id, wake())
        assert woken.content == WORD * 20
        assert woken.usage.total_tokens == woken.usage.prompt_tokens + 7
        rows = await sql(
            "select worker, attempts, lane, asked from runs where id = $1", woken.run_id
        )
        assert [tuple(row) for row in rows] == [(there.services.runner.worker, 1, "main", None)]
        assert here.services.runner.completed == 0
    assert (await sql(WAITING))[0][0] == 0
    assert await texts(sql, woken.run_id) == ["Wake up.", WORD * 20]


async def test_it_is_told_what_failed_elsewhere(serve: Serve, upstream: ScriptedUpstream) -> None:
    async with serve(carry_jobs=False) as here, serve():
        agent = await add_agent(here.services, await add_provider(here.services, upstream))
        upstream.fail(500)
        with pytest.raises(UpstreamFailed) as failed:
            await wake_agent(context(here.services), agent.id, wake())
    assert failed.value.code == "run_failed"


async def test_it_survives_a_restart(serve: Serve, upstream: ScriptedUpstream, sql: Sql) -> None:
    async with serve(carry_jobs=False) as before:
        agent = await add_agent(before.services, await add_provider(before.services, upstream))
        run = await start_wake(context(before.services), agent.id, wake())
        assert (run.status, run.session_id) == ("queued", None)
        assert await texts(sql, run.id) == []
    async with serve() as after:
        ended = await until_status(after, run.id, "completed", "error")
    assert ended.status == "completed"
    assert len(upstream.requests) == 1


async def test_several_servers_carry_each_once(
    server: RunningServer, serve: Serve, agent: AgentView, upstream: ScriptedUpstream, sql: Sql
) -> None:
    async with serve() as other:
        wakes = [
            wake_agent(context(services), agent.id, wake(session_key=f"s{number % 4}"))
            for number in range(8)
            for services in (server.services, other.services)
        ]
        woken = await asyncio.gather(*wakes)
    assert len({result.run_id for result in woken}) == len(upstream.requests) == 16
    ended = await sql("select count(*) from events where kind = 'run.ended'")
    assert ended[0][0] == 16
    order = await sql(
        """select array_agg(role order by seq) as roles, array_agg(seq order by seq) as seqs
        from messages group by session_id"""
    )
    assert len(order) == 4
    for row in order:
        assert row["roles"] == ["user", "assistant"] * 4
        assert row["seqs"] == list(range(1, 9))


async def test_it_waits_until_its_session_is_free(
    server: RunningServer, agent: AgentView, upstream: ScriptedUpstream, sql: Sql
) -> None:
    ada = context(server.services)
    first = await wake_agent(ada, agent.id, wake(session_key="talk"))
    session = (await get_run(ada, first.run_id)).session_id
    upstream.reply("Slow.", first_after=0.5)
    busy = await send_message(
        context(server.services), SendMessage(session_id=session, text="And?")
    )
    waiting = await start_wake(context(server.services), agent.id, wake(session_key="talk"))
    assert waiting.status == "queued"
    ended = await until_status(server, waiting.id, "completed", "error")
    assert ended.status == "completed"
    spoke = await get_run(context(server.services), busy.id)
    assert spoke.last_seq < ended.first_seq
    assert await texts(sql, waiting.id) == ["Wake up.", "Hello from the scripted model."]
    whole = await get_session(context(server.services), ended.session_id)
    assert whole.message_count == 6


async def test_no_more_than_so_many_wait(serve: Serve, upstream: ScriptedUpstream) -> None:
    async with serve(carry_jobs=False, session_queue=1, job_queue=2) as here:
        agent = await add_agent(here.services, await add_provider(here.services, upstream))
        await start_wake(context(here.services), agent.id, wake(session_key="one"))
        with pytest.raises(Conflict) as full:
            await start_wake(context(here.services), agent.id, wake(session_key="one"))
        assert full.value.code == "session_queue_full"
        await start_wake(context(here.services), agent.id, wake())
        with pytest.raises(RateLimited) as all_full:
            await start_wake(context(here.services), agent.id, wake())
        assert (all_full.value.code, all_full.value.retry_after_s) == ("job_queue_full", 30)


async def test_what_waits_can_be_cancelled(
    serve: Serve, upstream: ScriptedUpstream, sql: Sql
) -> None:
    async with serve(carry_jobs=False) as here:
        agent = await add_agent(here.services, await add_provider(here.services, upstream))
        run = await start_wake(context(here.services), agent.id, wake())
        following = asyncio.create_task(followed(here, run.id))
        await asyncio.sleep(0.1)
        stopped = await cancel_run(context(here.services), run.id)
        assert (stopped.status, stopped.error_code) == ("cancelled", "run_cancelled")
        events = await following
        assert isinstance(events[-1], RunEnded)
        assert events[-1].run.status == "cancelled"
    async with serve():
        async with asyncio.timeout(20):
            while (await sql(WAITING))[0][0]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert upstream.requests == []


async def test_what_a_revoked_key_asked_for_is_not_done(
    serve: Serve, upstream: ScriptedUpstream
) -> None:
    async with serve(carry_jobs=False) as here:
        agent = await add_agent(here.services, await add_provider(here.services, upstream))
        admin = context(here.services, None, Scope.ADMIN)
        key = await create_api_key(admin, ApiKeyCreate(name="k", scopes=[Scope.WRITE]))
        run = await start_wake(context(here.services, key_id=key.id), agent.id, wake())
        await revoke_api_key(context(here.services, None, Scope.ADMIN), key.id)
    async with serve() as after:
        ended = await until_status(after, run.id, "completed", "error")
    assert ended.error_code == "api_key_revoked"
    assert upstream.requests == []


async def test_nobody_waiting_the_model_is_asked_again(
    server: RunningServer,
    agent: AgentView,
    upstream: ScriptedUpstream,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("goclaw.runtime.stubborn.FIRST_WAIT_S", 0.01)
    upstream.fail(503)
    upstream.fail(503)
    upstream.reply("At last.")
    run = await start_wake(context(server.services), agent.id, wake())
    assert (await until_status(server, run.id, "completed", "error")).status == "completed"
    assert len(upstream.requests) == 3
    for _ in range(3):
        upstream.fail(503)
    run = await start_wake(context(server.services), agent.id, wake())
    assert (await until_status(server, run.id, "completed", "error")).status == "error"
    assert len(upstream.requests) == 6


async def test_who_follows_hears_it_from_the_beginning(
    serve: Serve, upstream: ScriptedUpstream
) -> None:
    """Also who follows before anybody carries it, wherever that is then done."""
    async with serve(carry_jobs=False) as here:
        agent = await add_agent(here.services, await add_provider(here.services, upstream))
        upstream.reply(WORD * 30, deltas=30, every=0.04)
        run = await start_wake(context(here.services), agent.id, wake())
        following = asyncio.create_task(followed(here, run.id))
        async with serve() as there:
            on_the_spot = asyncio.create_task(followed(there, run.id))
            for events in (await following, await on_the_spot):
                pieces = [event for event in events if isinstance(event, RunText)]
                assert "".join(piece.text for piece in pieces) == WORD * 30
                assert len(pieces) > 2
                assert isinstance(events[-1], RunEnded)
                assert events[-1].run.status == "completed"
    await until_asked(upstream)


async def followed(server: RunningServer, run_id: UUID) -> list[RunEvent]:
    return [event async for event in watch_run(context(server.services), run_id)]
