"""A chat call from question to trace, below the doors."""

import asyncio
import contextlib
import re

import pytest

from goclaw.core.errors import UpstreamFailed
from goclaw.core.paging import PageRequest
from goclaw.models.agents import AgentPatch
from goclaw.models.chat import ChatRequest
from goclaw.models.runs import RunStatus
from goclaw.resolvers.agents import update_agent
from goclaw.resolvers.chat import start_chat
from goclaw.resolvers.figures import get_figures
from goclaw.resolvers.runs import list_runs
from goclaw.resolvers.services import Services
from goclaw.resolvers.sessions import list_messages, list_sessions
from goclaw.resolvers.traces import list_spans, list_trace_messages, list_traces
from goclaw.rest_compat.probes import Probes
from goclaw.store.database import Database
from goclaw.store.group_commit import Arguments
from goclaw.store.pool import Row
from tests.support.callers import add_agent, add_provider, context
from tests.upstream import ScriptedUpstream


def said(*messages: tuple[str, str], model: str = "goclaw:scribe") -> ChatRequest:
    return ChatRequest.model_validate(
        {"model": model, "messages": [{"role": r, "content": c} for r, c in messages]}
    )


async def test_a_call_leaves_session_messages_run_and_trace(
    services: Services, upstream: ScriptedUpstream
) -> None:
    await add_agent(services, await add_provider(services, upstream))
    upstream.reply(text="Hello, Ada.")
    ctx = context(services)

    run = await start_chat(ctx, said(("user", "Hello?")))
    reply = await run.reply()

    assert reply.content == "Hello, Ada."
    [stored] = (await list_runs(ctx, PageRequest())).rows
    assert (stored.id, stored.status) == (run.id, RunStatus.COMPLETED)
    assert stored.input_tokens > 0
    [session] = (await list_sessions(ctx, PageRequest())).rows
    messages = (await list_messages(ctx, session.id, PageRequest())).rows
    assert [(m.seq, m.role, m.content) for m in messages] == [
        (2, "assistant", "Hello, Ada."),
        (1, "user", "Hello?"),
    ]
    await services.traces.flush()
    [trace] = (await list_traces(ctx, PageRequest())).rows
    assert (trace.run_id, trace.status, trace.input_preview) == (run.id, "completed", "Hello?")
    assert [s.span_type for s in await list_spans(ctx, trace.id)] == ["agent", "llm_call"]
    assert [m.seq for m in await list_trace_messages(ctx, trace.id)] == [1, 2]


async def test_no_two_sessions_of_a_user_are_called_the_same(
    services: Services, upstream: ScriptedUpstream
) -> None:
    """Where they are, the second call is refused: 32 random bits meet among a hundred thousand."""
    await add_agent(services, await add_provider(services, upstream))
    ctx = context(services)
    for _ in range(3):
        await (await start_chat(ctx, said(("user", "Hello?")))).reply()
    keys = {session.key for session in (await list_sessions(ctx, PageRequest())).rows}
    assert len(keys) == 3
    assert all(re.fullmatch(r"agent:scribe:http-ada-[0-9a-f]{16}", key) for key in keys), keys


async def test_posted_history_continues_its_session_and_stores_only_the_tail(
    services: Services, upstream: ScriptedUpstream
) -> None:
    await add_agent(services, await add_provider(services, upstream))
    ctx = context(services)
    upstream.reply(text="One.")
    await (await start_chat(ctx, said(("user", "Count.")))).reply()

    upstream.reply(text="Two.")
    history = (("user", "Count."), ("assistant", "One."), ("user", "On."))
    await (await start_chat(ctx, said(*history))).reply()

    [session] = (await list_sessions(ctx, PageRequest())).rows
    assert session.message_count == 4
    sent = upstream.requests[-1].body["messages"]
    assert [m["content"] for m in sent] == ["Write.", "Count.", "One.", "On."]


async def test_changed_history_begins_another_session(
    services: Services, upstream: ScriptedUpstream
) -> None:
    await add_agent(services, await add_provider(services, upstream))
    ctx = context(services)
    upstream.reply(text="One.")
    await (await start_chat(ctx, said(("user", "Count.")))).reply()
    upstream.reply(text="Two.")
    history = (("user", "Count."), ("assistant", "Eleven."), ("user", "On."))
    await (await start_chat(ctx, said(*history))).reply()

    sessions = (await list_sessions(ctx, PageRequest())).rows
    assert sorted(s.message_count for s in sessions) == [2, 4]


async def test_a_failed_call_is_an_error_everywhere_and_never_an_answer(
    services: Services, upstream: ScriptedUpstream
) -> None:
    await add_agent(services, await add_provider(services, upstream))
    ctx = context(services)
    upstream.fail(500)
    run = await start_chat(ctx, said(("user", "Hello?")))
    with pytest.raises(UpstreamFailed):
        await run.reply()

    [stored] = (await list_runs(ctx, PageRequest())).rows
    assert (stored.status, stored.error_code) == (RunStatus.ERROR, "upstream_failed")
    [session] = (await list_sessions(ctx, PageRequest())).rows
    assert session.message_count == 1
    assert session.lease_run_id is None


async def test_hanging_up_cancels_the_upstream_call_and_keeps_what_was_said(
    services: Services, upstream: ScriptedUpstream
) -> None:
    await add_agent(services, await add_provider(services, upstream))
    ctx = context(services)
    upstream.reply(text="word " * 100, deltas=100, every=0.02)
    run = await start_chat(ctx, said(("user", "Talk.")))
    deltas = run.deltas()
    first = await anext(deltas)
    await deltas.aclose()

    await upstream.until_hung_up()
    for _ in range(100):
        [stored] = (await list_runs(ctx, PageRequest())).rows
        if stored.status != RunStatus.RUNNING:
            break
        await asyncio.sleep(0.02)
    assert stored.status == RunStatus.CANCELLED
    assert stored.session_id is not None
    [answer, _] = (await list_messages(ctx, stored.session_id, PageRequest())).rows
    assert answer.content.startswith(first[0].text)


async def test_how_hard_to_think_is_the_agents_choice_or_the_callers(
    services: Services, upstream: ScriptedUpstream
) -> None:
    agent = await add_agent(services, await add_provider(services, upstream))
    ctx = context(services)

    async def asked(**options: object) -> object:
        body = said(("user", "Hello?")).model_dump() | {"model": "gpt-oss"} | options
        await (await start_chat(ctx, ChatRequest.model_validate(body), "scribe")).reply()
        return upstream.requests[-1].body.get("reasoning_effort")

    assert await asked() is None
    await update_agent(ctx, agent.id, AgentPatch(other_config={"thinking_level": "high"}))
    assert await asked() == "high"
    assert await asked(reasoning_effort="minimal") == "low"
    assert await asked(reasoning_effort="none") is None


async def test_metrics_tell_of_each_provider(
    services: Services, upstream: ScriptedUpstream
) -> None:
    ctx = context(services)
    for name in ("one", "two"):
        provider = await add_provider(services, upstream, name, breaker_failures=1, max_attempts=1)
        await add_agent(services, provider, name)
    upstream.fail(500)
    for name in ("one", "two"):
        run = await start_chat(ctx, said(("user", "Hello?"), model=f"goclaw:{name}"))
        with contextlib.suppress(UpstreamFailed):
            await run.reply()
    told = {
        (figure.name, figure.labels["provider"]): figure.value
        for figure in await get_figures(ctx)
        if "provider" in figure.labels
    }
    assert told == {
        ("provider_breaker_open", "one"): True,
        ("provider_breaker_opened", "one"): 1,
        ("provider_breaker_open", "two"): False,
        ("provider_breaker_opened", "two"): 0,
    }
    text = Probes(services)._metrics(await get_figures(ctx)).decode()
    assert 'goclaw_provider_breaker_open{provider="one"} 1.0' in text
    assert 'goclaw_provider_breaker_opened_total{provider="two"} 0.0' in text
    assert text.count("# HELP goclaw_provider_breaker_open ") == 1


async def test_who_leaves_while_the_run_is_begun_leaves_its_session_free(
    services: Services, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_agent(services, await add_provider(services, upstream))
    begun = asyncio.Event()
    grouped = Database.grouped

    async def noted(self: Database, sql: str, arguments: Arguments, **how: bool) -> Row | None:
        row = await grouped(self, sql, arguments, **how)
        begun.set()
        await asyncio.sleep(0)
        return row

    monkeypatch.setattr(Database, "grouped", noted)
    starting = asyncio.create_task(start_chat(context(services), said(("user", "Hello?"))))
    await begun.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    left = """
        select status, error_code, lease_run_id
        from runs join sessions on sessions.id = session_id
    """
    async with asyncio.timeout(5):
        while (row := (await services.database.pool.fetch(left))[0]).status == "running":  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert (row.status, row.error_code, row.lease_run_id) == ("cancelled", "run_cancelled", None)
    assert not upstream.requests
