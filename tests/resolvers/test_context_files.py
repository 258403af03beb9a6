"""Context files and users of an agent: who reads them, who writes them, what it leaves behind."""

from typing import Any

import pytest
from pydantic import ValidationError

from goclaw.core.callers import Scope
from goclaw.core.context_files import MAX_FILE_CHARS
from goclaw.core.errors import Conflict, Forbidden, GatewayError, NotFound
from goclaw.core.paging import PageRequest
from goclaw.models.agents import AgentType, AgentView, ShareCreate, ShareRole
from goclaw.models.context_files import ContextFileWrite, InstanceFacts, InstanceFileWrite
from goclaw.models.purges import UserPurge
from goclaw.resolvers.agent_instances import (
    count_agent_instances,
    list_agent_instances,
    list_instance_files,
    set_instance_file,
    update_agent_instance,
)
from goclaw.resolvers.agents import share_agent
from goclaw.resolvers.context import Context
from goclaw.resolvers.context_files import list_context_files, set_context_file
from goclaw.resolvers.purges import purge_user
from goclaw.resolvers.services import Services
from tests.runtime.test_store_contents import found_in
from tests.support.callers import add_provider, context
from tests.support.meeting import Meeting
from tests.upstream import ScriptedUpstream

SOUL = ContextFileWrite(name="SOUL.md", content="Dry.")
SECRET = "xyzzyplugh"


@pytest.fixture
async def meeting(services: Services, upstream: ScriptedUpstream) -> Meeting:
    return Meeting(services, upstream, await add_provider(services, upstream))


@pytest.fixture
async def agent(meeting: Meeting) -> AgentView:
    return await meeting.agent(AgentType.PREDEFINED)


async def users_of(ctx: Context, agent: AgentView, **page: Any) -> list[str]:
    return [
        row.user_id for row in (await list_agent_instances(ctx, PageRequest(**page), agent.id)).rows
    ]


async def test_an_owner_reads_and_writes(meeting: Meeting, agent: AgentView) -> None:
    ada = meeting.as_user()
    written = await set_context_file(ada, agent.id, SOUL)
    assert (written.file_name, written.content) == ("SOUL.md", "Dry.")
    again = await set_context_file(ada, agent.id, SOUL.model_copy(update={"content": "Drier."}))
    assert again.id == written.id
    rows = await list_context_files(ada, agent.id)
    assert {row.file_name: row.content for row in rows}["SOUL.md"] == "Drier."
    await set_context_file(ada, agent.id, SOUL.model_copy(update={"content": ""}))
    names = [row.file_name for row in await list_context_files(ada, agent.id)]
    assert names == ["AGENTS.md", "IDENTITY.md", "USER_PREDEFINED.md"]


@pytest.mark.parametrize(
    ("user", "error"), [("eve", Forbidden), ("bob", NotFound)], ids=["shared", "stranger"]
)
async def test_others_do_not(
    meeting: Meeting, agent: AgentView, user: str, error: type[GatewayError]
) -> None:
    await meeting.say(agent)
    other = meeting.as_user(user)
    before = await meeting.held(agent)
    facts = InstanceFacts(user_id="ada", metadata={"a": "b"})
    for attempt in (
        list_context_files(other, agent.id),
        set_context_file(other, agent.id, SOUL),
        set_instance_file(other, agent.id, InstanceFileWrite(user_id="ada", content="x")),
        update_agent_instance(other, agent.id, facts),
    ):
        with pytest.raises(error):
            await attempt
    assert await meeting.held(agent) == before
    assert await users_of(other, agent) == []
    assert await count_agent_instances(other, agent.id) == 0


async def test_an_administrator_by_share_may_what_the_owner_may(
    meeting: Meeting, agent: AgentView
) -> None:
    share = ShareCreate(user_id="eve", role=ShareRole.ADMIN)
    await share_agent(meeting.as_user(), agent.id, share)
    await meeting.say(agent)
    eve = meeting.as_user("eve")
    await set_context_file(eve, agent.id, SOUL)
    assert len(await list_context_files(eve, agent.id)) == 4
    assert await users_of(eve, agent) == ["ada"]


async def test_a_user_sees_what_is_kept_of_them_and_the_owner_all(
    meeting: Meeting, agent: AgentView
) -> None:
    await meeting.say(agent)
    await meeting.say(agent, user_id="eve")
    eve = meeting.as_user("eve")
    (own,) = (await list_agent_instances(eve, PageRequest(), agent.id)).rows
    assert (own.user_id, own.file_count, own.metadata) == ("eve", 2, {})
    assert [row.file_name for row in await list_instance_files(eve, own.id)] == [
        "BOOTSTRAP.md",
        "USER.md",
    ]
    assert await users_of(meeting.as_user(), agent) == ["eve", "ada"]
    assert await count_agent_instances(meeting.as_user(), agent.id) == 2
    first = await list_agent_instances(meeting.as_user(), PageRequest(limit=1), agent.id)
    assert first.has_next
    adas = (
        await list_agent_instances(
            meeting.as_user(), PageRequest(before=first.rows[-1].id), agent.id
        )
    ).rows[0]
    assert adas.user_id == "ada"
    assert await list_instance_files(eve.afresh(), adas.id) == []


async def test_a_users_file_is_written_before_they_come(meeting: Meeting, agent: AgentView) -> None:
    data = InstanceFileWrite(user_id="eve", content="- Name: Eve")
    await set_instance_file(meeting.as_user(), agent.id, data)
    prompt = await meeting.say(agent, user_id="eve")
    assert "- Name: Eve" in prompt
    assert "# First contact" in prompt
    await set_instance_file(meeting.as_user(), agent.id, data.model_copy(update={"content": ""}))
    assert "- Name: Eve" not in await meeting.say(agent, user_id="eve")


async def test_facts_are_merged_and_taken_away(meeting: Meeting, agent: AgentView) -> None:
    await meeting.say(agent)
    ada = meeting.as_user()

    async def set_facts(**facts: str | None) -> dict[str, Any]:
        data = InstanceFacts(user_id="ada", metadata=facts)
        return (await update_agent_instance(ada, agent.id, data)).metadata

    assert await set_facts(team="blue", seat="4") == {"team": "blue", "seat": "4"}
    assert await set_facts(seat=None, floor="2") == {"team": "blue", "floor": "2"}
    many = {f"f{n}": "x" for n in range(49)}
    with pytest.raises(Conflict, match="50"):
        await set_facts(**many)
    data = InstanceFacts(user_id="bob", metadata={"a": "b"})
    with pytest.raises(NotFound, match="bob"):
        await update_agent_instance(ada, agent.id, data)


@pytest.mark.parametrize(
    ("shape", "values", "problem"),
    [
        (ContextFileWrite, {"name": "NOTES.md", "content": "x"}, "must be one of AGENTS.md"),
        (ContextFileWrite, {"name": "soul.md", "content": "x"}, "must be one of AGENTS.md"),
        (ContextFileWrite, {"name": "SOUL.md", "content": "x" * 20_001}, str(MAX_FILE_CHARS)),
        (ContextFileWrite, {"name": "SOUL.md", "content": "\x00"}, "NUL"),
        (InstanceFileWrite, {"user_id": "a", "content": "x" * 20_001}, str(MAX_FILE_CHARS)),
        (InstanceFacts, {"user_id": "a", "metadata": {}}, "at least 1"),
        (InstanceFacts, {"user_id": "a", "metadata": {"a": 1}}, "string"),
        (InstanceFacts, {"user_id": "a", "metadata": {"a": "x" * 1001}}, "1000"),
        (InstanceFacts, {"user_id": "", "metadata": {"a": "b"}}, "at least 1"),
    ],
)
def test_what_is_out_of_bounds_is_named(shape: Any, values: Any, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        shape.model_validate(values)


async def test_writing_is_noted_without_what_was_written(
    meeting: Meeting, agent: AgentView
) -> None:
    ada = meeting.as_user()
    await set_context_file(ada, agent.id, ContextFileWrite(name="SOUL.md", content=SECRET))
    await set_instance_file(ada, agent.id, InstanceFileWrite(user_id="eve", content=SECRET))
    rows = await meeting.services.database.pool.fetch(
        "select action, entity_type, details from activity_logs order by id desc limit 2"
    )
    assert [tuple(row) for row in rows] == [
        (
            "agent_instance.file_set",
            "agent_instance",
            {"of_user": "eve", "name": "USER.md", "characters": len(SECRET)},
        ),
        ("agent.file_set", "agent", {"name": "SOUL.md", "characters": len(SECRET)}),
    ]
    told = await meeting.services.database.pool.fetch(
        "select kind, audience, user_id from events where kind like '%file_set' order by id"
    )
    assert [tuple(row) for row in told] == [
        ("agent.file_set", "agent", "ada"),
        ("agent_instance.file_set", "user", "eve"),
    ]
    assert set(await found_in(meeting.services.host.dsn, SECRET)) == {
        "agent_context_files",
        "user_context_files",
    }


async def test_a_purge_takes_a_users_files(meeting: Meeting, agent: AgentView) -> None:
    who = "grace.hopper@navy.example"
    data = InstanceFileWrite(user_id=who, content=f"{who} {SECRET}")
    await set_instance_file(meeting.as_user(), agent.id, data)
    await meeting.say(agent)
    boss = context(meeting.services, None, Scope.ADMIN)
    await purge_user(boss, who, UserPurge())
    assert await found_in(meeting.services.host.dsn, who) == []
    assert await found_in(meeting.services.host.dsn, SECRET) == []
    assert await users_of(boss, agent) == ["ada"]
