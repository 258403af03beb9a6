"""An agent that stores no contents: figures and costs are kept, what was said is nowhere."""

import asyncio
import gc
from collections.abc import AsyncIterator

import asyncpg
import pytest

from goclaw.app.services import open_services
from goclaw.core.errors import Conflict, UpstreamFailed
from goclaw.core.host import Host
from goclaw.core.paging import PageRequest
from goclaw.models.agents import AgentPatch, AgentView
from goclaw.models.chat import ChatRequest, SendMessage, Wake
from goclaw.models.run_events import RunEnded, RunText
from goclaw.resolvers.agents import update_agent
from goclaw.resolvers.chat import start_chat
from goclaw.resolvers.following import watch_run
from goclaw.resolvers.runs import get_run, list_runs, send_message
from goclaw.resolvers.services import Services
from goclaw.resolvers.sessions import list_messages, list_sessions
from goclaw.resolvers.traces import list_costs, list_traces
from goclaw.resolvers.wakes import wake_agent
from goclaw.runtime import recent
from goclaw.runtime.live import LiveRun
from goclaw.store.tables import TABLES
from tests.runtime.test_chat_runs import said
from tests.support.callers import add_agent, add_provider, context
from tests.upstream import ScriptedUpstream
from tests.upstream.script import call

SECRET = "xyzzyplugh"
"""What is said in every test; no column of any table may hold it."""


async def found_in(dsn: str, text: str) -> list[str]:
    """The tables with a row that holds the text, in whatever column."""
    connection = await asyncpg.connect(dsn)
    try:
        return [
            str(table.__tablename__)
            for table in TABLES
            if await connection.fetchval(
                f"select exists (select from {table.__tablename__} t where strpos(t::text, $1) > 0"
                " or strpos(t::text, encode($1::bytea, 'hex')) > 0)",
                text,
            )
        ]
    finally:
        await connection.close()


@pytest.fixture
async def agent(services: Services, upstream: ScriptedUpstream) -> AgentView:
    agent = await add_agent(services, await add_provider(services, upstream))
    return await update_agent(context(services), agent.id, AgentPatch(store_contents=False))


@pytest.fixture(autouse=True)
async def _nothing_was_stored(services: Services, dsn: str) -> AsyncIterator[None]:
    yield
    await services.traces.flush()
    assert await found_in(dsn, SECRET) == []


async def test_the_search_finds_what_other_agents_store(
    services: Services, upstream: ScriptedUpstream, dsn: str
) -> None:
    agent = await add_agent(services, await add_provider(services, upstream))
    assert agent.store_contents
    upstream.reply(text="plover")
    await (await start_chat(context(services), said(("user", "plover?")))).reply()
    await services.traces.flush()
    assert await found_in(dsn, "plover") == ["sessions", "messages", "traces", "spans"]


async def test_figures_are_kept_and_the_posted_history_continues_the_session(
    services: Services, upstream: ScriptedUpstream, agent: AgentView
) -> None:
    ctx = context(services)
    upstream.reply(text=f"{SECRET} one")
    await (await start_chat(ctx, said(("user", f"{SECRET}?")))).reply()
    upstream.reply(text=f"{SECRET} two")
    history = (("user", f"{SECRET}?"), ("assistant", f"{SECRET} one"), ("user", f"{SECRET}!"))
    assert (await (await start_chat(ctx, said(*history))).reply()).content == f"{SECRET} two"
    assert [m["content"] for m in upstream.requests[-1].body["messages"]][1:] == [
        text for _, text in history
    ]

    [session] = (await list_sessions(ctx, PageRequest())).rows
    assert (session.message_count, session.label) == (4, None)
    messages = (await list_messages(ctx, session.id, PageRequest())).rows
    assert [(m.role, m.content) for m in messages] == [("assistant", ""), ("user", "")] * 2
    runs = (await list_runs(ctx, PageRequest())).rows
    assert all(run.input_tokens and run.output_tokens for run in runs)
    await services.traces.flush()
    assert {t.input_preview for t in (await list_traces(ctx, PageRequest())).rows} == {None}
    [cost] = await list_costs(ctx)
    assert cost.trace_count == 2


async def test_tools_are_named_and_their_arguments_are_not_kept(
    services: Services, upstream: ScriptedUpstream, agent: AgentView
) -> None:
    ctx = context(services)
    function = {"name": "look", "arguments": f'{{"up": "{SECRET}"}}'}
    asked = {
        "model": "goclaw:scribe",
        "messages": [
            {"role": "user", "content": SECRET, "name": SECRET},
            {"role": "assistant", "tool_calls": [
                {"id": "call-1", "type": "function", "function": function}]},
            {"role": "tool", "tool_call_id": "call-1", "content": SECRET},
            {"role": "user", "content": [
                {"type": "text", "text": SECRET},
                {"type": "image_url", "image_url": {"url": f"https://a.example/{SECRET}.png"}}]},
        ],
    }  # fmt: skip
    upstream.reply(text=SECRET, calls=(call("look", id="call-2", up=SECRET),))
    await (await start_chat(ctx, ChatRequest.model_validate(asked))).reply()
    [session] = (await list_sessions(ctx, PageRequest())).rows
    messages = (await list_messages(ctx, session.id, PageRequest())).rows
    assert messages[0].tool_calls == [{"id": "call-2", "name": "look", "arguments": ""}]
    assert [m.parts for m in messages] == [None] * 5


async def test_errors_that_quote_the_question_are_stored_by_their_code(
    services: Services, upstream: ScriptedUpstream, agent: AgentView
) -> None:
    ctx = context(services)
    upstream.fail(400, message=f"cannot answer {SECRET}")
    run = await start_chat(ctx, said(("user", SECRET)))
    with pytest.raises(UpstreamFailed) as told:
        await run.reply()
    assert SECRET in str(told.value)
    stored = await get_run(ctx, run.id)
    assert (stored.error_code, stored.error_message) == ("upstream_refused", "upstream_refused")


async def test_what_was_said_before_hanging_up_is_not_kept(
    services: Services, upstream: ScriptedUpstream, agent: AgentView
) -> None:
    upstream.reply(text=f"{SECRET} " * 50, deltas=50, every=0.02)
    run = await start_chat(context(services), said(("user", SECRET)))
    deltas = run.deltas()
    await anext(deltas)
    await deltas.aclose()
    for _ in range(500):
        if not services.runner.live:
            return
        await asyncio.sleep(0.02)
    raise TimeoutError("the run did not end")


async def test_a_message_is_answered_live_and_its_session_cannot_be_continued_from_the_store(
    services: Services, upstream: ScriptedUpstream, agent: AgentView
) -> None:
    ctx = context(services)
    upstream.reply(text=f"{SECRET} said", every=0.05)
    run = await send_message(ctx, SendMessage(agent_id=agent.id, text=SECRET))
    events = [event async for event in watch_run(ctx, run.id)]
    assert "".join(e.text for e in events if isinstance(e, RunText)) == f"{SECRET} said"
    ended = events[-1]
    assert isinstance(ended, RunEnded)
    assert ended.message is not None
    assert ended.message.content == ""
    late = [event async for event in watch_run(ctx.afresh(), run.id)]
    assert "".join(e.text for e in late if isinstance(e, RunText)) == f"{SECRET} said"

    with pytest.raises(Conflict, match="stores no contents"):
        await send_message(ctx, SendMessage(session_id=run.session_id, text="And?"))
    await update_agent(ctx, agent.id, AgentPatch(store_contents=True))
    with pytest.raises(Conflict, match="stores no contents"):
        await send_message(ctx.afresh(), SendMessage(session_id=run.session_id, text="And?"))


async def test_another_worker_is_told_the_answer_for_a_minute(
    services: Services, host: Host, upstream: ScriptedUpstream, agent: AgentView
) -> None:
    said_here = f"{SECRET} " * 500
    upstream.reply(text=said_here)
    run = await send_message(context(services), SendMessage(agent_id=agent.id, text=SECRET))
    live = services.runner.live.get(run.id)
    if live is not None:
        await live.ended()
    async with open_services(host, serving=False) as elsewhere:
        events = [event async for event in watch_run(context(elsewhere), run.id)]
    assert "".join(e.text for e in events if isinstance(e, RunText)) == said_here


async def test_what_is_remembered_for_a_minute_is_bounded_and_no_question(
    services: Services,
    upstream: ScriptedUpstream,
    agent: AgentView,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Questions may come with images; neither they nor a thousand answers are kept in memory."""
    monkeypatch.setattr(recent, "MOST_CHARS", 100)
    ctx, runs = context(services), []
    for number in range(5):
        upstream.reply(text=f"{number} " * 20)
        sent = await send_message(ctx.afresh(), SendMessage(agent_id=agent.id, text=SECRET))
        live = services.runner.live.get(sent.id)
        if live is not None:
            await live.ended()
        runs.append(sent.id)
    kept = [services.runner.recent.get(id) for id in runs]
    assert [answer and answer.text for answer in kept] == [None] * 3 + ["3 " * 20, "4 " * 20]
    del live
    await services.traces.flush()
    gc.collect()
    assert not [run for run in gc.get_objects() if isinstance(run, LiveRun) and run.id in runs]


async def test_a_wake_is_answered_and_repeated_for_a_minute(
    services: Services, upstream: ScriptedUpstream, agent: AgentView
) -> None:
    ctx = context(services, idempotency_key="once")
    upstream.reply(text=f"{SECRET} done")
    woken = await wake_agent(ctx, agent.id, Wake(message=SECRET, session_key="job"))
    assert woken.content == f"{SECRET} done"
    again = await wake_agent(ctx, agent.id, Wake(message=SECRET, session_key="job"))
    assert again == woken
    services.runner.recent._answers.clear()
    with pytest.raises(Conflict) as repeated:
        await wake_agent(ctx, agent.id, Wake(message=SECRET, session_key="job"))
    assert repeated.value.code == "answer_not_stored"
    with pytest.raises(Conflict) as continued:
        await wake_agent(context(services), agent.id, Wake(message="On.", session_key="job"))
    assert continued.value.code == "session_not_stored"
    assert len(upstream.requests) == 1
