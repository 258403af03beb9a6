"""A user's first run with an agent begins their files, once; others are told what they were."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from goclaw.core.paging import PageRequest
from goclaw.models.agents import AgentPatch, AgentType
from goclaw.models.context_files import ContextFileWrite
from goclaw.models.shapes import now
from goclaw.resolvers.agent_instances import list_agent_instances
from goclaw.resolvers.agents import delete_agent, preview_agent, update_agent
from goclaw.resolvers.context_files import set_context_file
from goclaw.resolvers.services import Services
from goclaw.store import database
from tests.support.callers import add_agent, add_provider
from tests.support.meeting import FIRST_CONTACT, Meeting
from tests.upstream import ScriptedUpstream, call

OPEN, PREDEFINED = AgentType.OPEN, AgentType.PREDEFINED
SHARED = {"AGENTS.md", "SOUL.md", "IDENTITY.md", "USER_PREDEFINED.md"}


@pytest.fixture
async def meeting(services: Services, upstream: ScriptedUpstream) -> Meeting:
    return Meeting(services, upstream, await add_provider(services, upstream))


async def count(meeting: Meeting, table: str) -> int:
    return int(await meeting.services.database.pool.fetchval(f"select count(*) from {table}"))


async def test_an_open_agent_is_each_users_own(meeting: Meeting) -> None:
    agent = await meeting.agent(OPEN)
    assert (await meeting.held(agent)).of_agent == {}
    prompt = await meeting.say(agent)
    held = await meeting.held(agent)
    assert set(held.of_user) == {"AGENTS.md", "SOUL.md", "IDENTITY.md", "USER.md", "BOOTSTRAP.md"}
    assert prompt.startswith(FIRST_CONTACT)
    assert "<project_context>" in prompt
    assert not (await meeting.held(agent, "eve")).met


async def test_a_predefined_agent_is_the_same_for_all(meeting: Meeting) -> None:
    agent = await meeting.agent(PREDEFINED, uses_context_files=None)
    assert agent.uses_context_files
    assert set((await meeting.held(agent)).of_agent) == SHARED
    prompt = await meeting.say(agent, user_id="eve")
    assert set((await meeting.held(agent, "eve")).of_user) == {"USER.md", "BOOTSTRAP.md"}
    assert prompt.startswith(FIRST_CONTACT)
    assert "<agent_configuration>" in prompt
    assert "Confidential" in prompt


async def test_what_an_agent_has_of_users_files_is_where_they_begin(meeting: Meeting) -> None:
    for kind in (OPEN, PREDEFINED):
        agent = await meeting.agent(kind, key=f"guide-{kind.value}")
        for name in ("USER.md", "BOOTSTRAP.md", "SOUL.md"):
            data = ContextFileWrite(name=name, content=f"own {name}")
            await set_context_file(meeting.as_user(), agent.id, data)
        prompt = await meeting.say(agent)
        held = await meeting.held(agent)
        assert held.of_user["USER.md"] == "own USER.md"
        assert held.of_user["BOOTSTRAP.md"] == "own BOOTSTRAP.md"
        assert "SOUL.md" not in held.of_user
        assert all(f"own {name}" in prompt for name in ("USER.md", "BOOTSTRAP.md", "SOUL.md"))


async def test_twenty_first_calls_at_once_begin_one(meeting: Meeting) -> None:
    agent = await meeting.agent(OPEN)
    prompts = await asyncio.gather(*(meeting.say(agent, f"{n}") for n in range(20)))
    assert all(FIRST_CONTACT in prompt for prompt in prompts)
    assert await count(meeting, "user_agent_profiles") == 1
    assert await count(meeting, "user_context_files") == 5
    assert await count(meeting, "events where topic = 'agent_instance'") == 1


async def test_an_agent_without_files_is_told_what_it_was_told(meeting: Meeting) -> None:
    plain = await add_agent(meeting.services, meeting.provider)
    assert not plain.uses_context_files
    await meeting.say(plain)
    assert meeting.upstream.requests[-1].body["messages"][0] == {
        "role": "system",
        "content": "Write.",
    }
    assert await count(meeting, "user_agent_profiles") == 0


async def test_the_introduction_ends_when_its_file_is_emptied(meeting: Meeting) -> None:
    agent = await meeting.agent(PREDEFINED)
    meeting.upstream.reply(
        calls=(
            call("write_file", id="1", path="USER.md", content="- Name: Ada"),
            call("write_file", id="2", path="BOOTSTRAP.md", content=""),
        )
    )
    assert FIRST_CONTACT in await meeting.say(agent)
    prompt = await meeting.say(agent, "And now?")
    assert FIRST_CONTACT not in prompt
    assert "- Name: Ada" in prompt
    assert set((await meeting.held(agent)).of_user) == {"USER.md"}


async def test_the_introduction_ends_after_three_runs(meeting: Meeting) -> None:
    agent = await meeting.agent(OPEN)
    for turn in range(3):
        assert FIRST_CONTACT in await meeting.say(agent, f"turn {turn}")
    assert FIRST_CONTACT not in await meeting.say(agent, "the fourth")
    assert "BOOTSTRAP.md" not in (await meeting.held(agent)).of_user
    assert FIRST_CONTACT in await meeting.say(agent, "hello", "eve")


async def test_no_introduction_for_an_agent_that_could_not_end_it(meeting: Meeting) -> None:
    agent = await meeting.agent(OPEN, tools_config={})
    prompt = await meeting.say(agent)
    assert FIRST_CONTACT not in prompt
    assert "write_file" not in prompt
    assert "# Persona" in prompt
    assert "BOOTSTRAP.md" in (await meeting.held(agent)).of_user


async def test_files_hold_from_the_moment_they_are_switched_on(meeting: Meeting) -> None:
    agent = await meeting.agent(OPEN, uses_context_files=False)
    assert "# Persona" not in await meeting.say(agent)
    changes = AgentPatch(uses_context_files=True, agent_type=PREDEFINED)
    await update_agent(meeting.as_user(), agent.id, changes)
    assert set((await meeting.held(agent)).of_agent) == SHARED
    assert "# Persona" in await meeting.say(agent)
    await update_agent(meeting.as_user(), agent.id, AgentPatch(uses_context_files=False))
    assert "# Persona" not in await meeting.say(agent)


async def test_a_file_that_was_removed_does_not_come_back(meeting: Meeting) -> None:
    agent = await meeting.agent(PREDEFINED)
    empty = ContextFileWrite(name="SOUL.md", content="")
    await set_context_file(meeting.as_user(), agent.id, empty)
    same = AgentPatch(uses_context_files=True, agent_type=PREDEFINED, display_name="Guide")
    await update_agent(meeting.as_user(), agent.id, same)
    assert set((await meeting.held(agent)).of_agent) == SHARED - {"SOUL.md"}


async def test_a_deleted_agent_leaves_no_files(meeting: Meeting) -> None:
    agent = await meeting.agent(PREDEFINED)
    await meeting.say(agent)
    await delete_agent(meeting.as_user(), agent.id)
    for table in ("agent_context_files", "user_context_files", "user_agent_profiles"):
        assert await count(meeting, table) == 0


async def test_a_preview_shows_the_files_and_begins_nothing(meeting: Meeting) -> None:
    agent = await meeting.agent(PREDEFINED)
    shown = (await preview_agent(meeting.as_user(), agent.id, AgentPatch())).system_prompt
    assert FIRST_CONTACT in shown
    assert "Never make up facts" in shown
    assert not (await meeting.held(agent)).met
    eves = (await preview_agent(meeting.as_user("eve"), agent.id, AgentPatch())).system_prompt
    assert "Never make up facts" not in eves
    assert "shown to whoever administers" in eves


async def test_a_user_is_seen_again_to_the_minute(meeting: Meeting) -> None:
    agent = await meeting.agent(OPEN)
    await meeting.say(agent)
    pool = meeting.services.database.pool
    early = now() - timedelta(hours=1)
    await pool.execute("update user_agent_profiles set last_seen_at = $1", early)
    await meeting.say(agent)
    (row,) = (await list_agent_instances(meeting.as_user(), PageRequest(), agent.id)).rows
    assert now() - row.last_seen_at < timedelta(seconds=30)
    assert row.first_seen_at > early


async def test_first_contact_costs_three_statements_and_then_one(
    meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = database.fetch

    async def counted(pool: Any, sql: str, *more: Any, **options: Any) -> Any:
        asked.append(sql)
        return await real(pool, sql, *more, **options)

    monkeypatch.setattr("goclaw.store.context_files.fetch", counted)
    agent = await meeting.agent(OPEN)
    await meeting.say(agent)
    assert len(asked) == 3
    await meeting.say(agent)
    assert len(asked) == 4
    plain = await add_agent(meeting.services, meeting.provider)
    await meeting.say(plain)
    assert len(asked) == 4
