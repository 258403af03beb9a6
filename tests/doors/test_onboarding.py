"""A user's first conversation with an agent over chat completions, from meeting to being known."""

from typing import Any

import pytest
import pytest_asyncio

from goclaw.core.callers import Scope
from tests.doors.calling import Answer, Caller
from tests.doors.round_trips import counting
from tests.doors.world import World
from tests.support.meeting import FILES, FIRST_CONTACT, prompt_of
from tests.upstream import call

pytestmark = pytest.mark.asyncio(loop_scope="module")

INSTANCES = """query ($agent: UUID!) { agentInstances(agentId: $agent) {
    nodes { userId fileCount files { name content characters } } totalCount } }"""
CREATE = "mutation ($input: CreateAgentInput!) { createAgent(input: $input) { id key } }"
UPDATE = "mutation ($input: UpdateAgentInput!) { updateAgent(input: $input) { id } }"


@pytest_asyncio.fixture(loop_scope="module")
async def guide(world: World) -> dict[str, Any]:
    made = await world.caller(Scope.WRITE).graphql(
        CREATE,
        input={
            "key": f"guide-{len(world.upstream.requests)}",
            "providerId": str(world.provider.id),
            "model": "scripted-1",
            "agentType": "PREDEFINED",
            "toolsConfig": {"allow": FILES},
        },
    )
    agent: dict[str, Any] = made.data["createAgent"]
    return agent


async def said(
    world: World, caller: Caller, agent: dict[str, Any], *messages: dict[str, str]
) -> str:
    """The prompt of the first model call."""
    before = len(world.upstream.requests)
    body = {"model": f"goclaw:{agent['key']}", "messages": list(messages)}
    answer = await caller.rest("POST", "/v1/chat/completions", body)
    assert answer.status == 200, answer.text
    return prompt_of(world.upstream.requests[before].body)


async def test_a_user_is_met_once_and_known_from_then_on(
    world: World, guide: dict[str, Any]
) -> None:
    ada = world.caller(Scope.WRITE)
    world.upstream.reply(
        said_before="Welcome, Ada!",
        calls=(
            call("write_file", id="1", path="USER.md", content="- Name: Ada\n- Likes: engines"),
            call("write_file", id="2", path="BOOTSTRAP.md", content=""),
        ),
    )
    world.upstream.reply("We are done with that.")
    hello = {"role": "user", "content": "I am Ada, and I like engines."}
    assert FIRST_CONTACT in await said(world, ada, guide, hello)
    results = [m for m in world.upstream.requests[-1].body["messages"] if m["role"] == "tool"]
    assert [m["content"] for m in results] == [
        "Wrote 28 characters to USER.md.",
        "BOOTSTRAP.md is empty now, and gone.",
    ]
    answer = {"role": "assistant", "content": "Welcome, Ada!\n\nWe are done with that."}
    more = {"role": "user", "content": "What do I like?"}
    prompt = await said(world, ada, guide, hello, answer, more)
    assert FIRST_CONTACT not in prompt
    assert "- Likes: engines" in prompt
    shown = (await ada.graphql(INSTANCES, agent=guide["id"])).data["agentInstances"]
    assert shown["totalCount"] == 1
    assert shown["nodes"] == [
        {
            "userId": "ada",
            "fileCount": 1,
            "files": [
                {"name": "USER.md", "content": "- Name: Ada\n- Likes: engines", "characters": 28}
            ],
        }
    ]


async def test_who_is_met_already_costs_one_round_trip(
    world: World, guide: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = world.caller(Scope.WRITE)

    async def fewest() -> int:
        counts = []
        for number in range(8):
            with counting(monkeypatch) as requests:
                await said(world, ada, guide, {"role": "user", "content": f"Number {number}?"})
            counts.append(len(requests[0].own))
        return min(counts)

    with_files = await fewest()
    switch = {"id": guide["id"], "usesContextFiles": False, "systemPrompt": "You guide."}
    assert (await ada.graphql(UPDATE, input=switch)).data
    assert with_files == await fewest() + 1


async def test_a_file_that_is_too_long_or_unknown_names_the_field(
    world: World, guide: dict[str, Any]
) -> None:
    write = "mutation ($input: SetContextFileInput!) { setContextFile(input: $input) { id } }"
    ada = world.caller(Scope.WRITE)
    sent = {"agentId": guide["id"], "name": "SOUL.md", "content": "x" * 20_001}
    answer = await ada.graphql(write, input=sent)
    assert (answer.code, field_of(answer)) == ("invalid_input", "content")
    answer = await ada.graphql(write, input=sent | {"name": "PASSWD", "content": "x"})
    assert (answer.code, field_of(answer)) == ("invalid_input", "name")
    assert "AGENTS.md" in answer.text


def field_of(answer: Answer) -> str | None:
    assert answer.error is not None
    field: str | None = answer.error["extensions"]["field"]
    return field
