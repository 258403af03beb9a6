"""Conversations as tools see them: the user's own with the agent, and nobody else's."""

from typing import Any

import orjson
import pytest

from goclaw.core.paging import PageRequest
from goclaw.models.agents import AgentView, ShareCreate
from goclaw.models.chat import SendMessage
from goclaw.models.sessions import Session, SessionPatch
from goclaw.resolvers.agents import share_agent
from goclaw.resolvers.conversations import OwnConversations
from goclaw.resolvers.runs import list_runs, send_message
from goclaw.resolvers.services import Services
from goclaw.resolvers.sessions import get_session, update_session
from goclaw.tools.sessions import SENT_BY_TOOL, SessionTools
from tests.support.callers import add_agent, add_provider, context
from tests.tools.conftest import Caller, tool_context
from tests.upstream import ScriptedUpstream


@pytest.fixture
async def agents(services: Services, upstream: ScriptedUpstream) -> list[AgentView]:
    provider = await add_provider(services, upstream)
    return [await add_agent(services, provider, key) for key in ("scribe", "other")]


async def talked(services: Services, agent: AgentView, text: str, user_id: str = "ada") -> Session:
    ctx = context(services, user_id)
    run = await send_message(ctx, SendMessage(agent_id=agent.id, text=text))
    live = services.runner.live.get(run.id)
    if live is not None:
        await live.ended()
    assert run.session_id is not None
    return await get_session(context(services, user_id), run.session_id)


def caller(services: Services, agent: AgentView, user_id: str = "ada", **more: Any) -> Caller:
    tools = SessionTools(OwnConversations(services)).tools()
    return Caller(tools, tool_context(user_id, agent_id=agent.id, **more))


async def told(call: Caller, name: str, **arguments: Any) -> Any:
    return orjson.loads(await call.said(name, **arguments))


async def test_weakness_44_tools_see_no_more_than_their_user_and_agent(
    services: Services, agents: list[AgentView]
) -> None:
    scribe, other = agents
    await share_agent(context(services), scribe.id, ShareCreate(user_id="bob"))
    mine = await talked(services, scribe, "What is a whale?")
    elsewhere = await talked(services, other, "With another agent")
    bobs = await talked(services, scribe, "Bob's own words", "bob")
    call = caller(services, scribe)
    listed = await told(call, "sessions_list")
    assert [row["key"] for row in listed["sessions"]] == [mine.key]
    for hidden in (elsewhere, bobs):
        for name, more in (
            ("session_status", {}),
            ("sessions_history", {}),
            ("sessions_send", {"message": "hello"}),
        ):
            text = await call.refused(name, session_key=hidden.key, **more)
            assert "no conversation" in text
    runs = await list_runs(context(services, "bob"), PageRequest())
    assert len(runs.rows) == 1


async def test_status_and_history(services: Services, agents: list[AgentView]) -> None:
    session = await talked(services, agents[0], "What is a whale?")
    call = caller(services, agents[0], session_key=session.key, session_id=session.id)
    status = await told(call, "session_status")
    assert (status["key"], status["messages"], status["answering"]) == (session.key, 2, False)
    history = await told(call, "sessions_history", session_key=session.key)
    assert [row["role"] for row in history["messages"]] == ["user", "assistant"]
    assert history["messages"][0]["content"] == "What is a whale?"
    last = await told(call, "sessions_history", session_key=session.key, limit=1)
    assert [row["role"] for row in last["messages"]] == ["assistant"]
    assert (await told(call, "sessions_list", active_minutes=1))["count"] == 1


async def test_a_message_is_sent_and_answered_there(
    services: Services, agents: list[AgentView]
) -> None:
    session = await talked(services, agents[0], "What is a whale?")
    patch = SessionPatch(label="Whales")
    await update_session(context(services), session.id, patch)
    call = caller(services, agents[0])
    sent = await told(call, "sessions_send", label="Whales", message="And a ray?")
    live = next((run for run in services.runner.live.values()), None)
    if live is not None:
        await live.ended()
    assert sent["session_key"] == session.key
    history = await told(call, "sessions_history", session_key=session.key)
    assert history["messages"][2]["content"] == "And a ray?"
    assert len(history["messages"]) == 4


async def test_what_cannot_be_sent(services: Services, agents: list[AgentView]) -> None:
    session = await talked(services, agents[0], "What is a whale?")
    call = caller(services, agents[0], session_id=session.id)
    text = await call.refused("sessions_send", session_key=session.key, message="hello")
    assert "this conversation" in text
    assert "either" in await call.refused("sessions_send", message="hello")
    assert "no conversation" in await call.refused("sessions_send", label="x", message="hello")
    sent_on = caller(services, agents[0], channel=SENT_BY_TOOL)
    text = await sent_on.refused("sessions_send", session_key=session.key, message="hello")
    assert "none can be sent on" in text
    assert "limit" in await call.refused("sessions_list", limit=0)
