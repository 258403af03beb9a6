"""A request sent twice under one idempotency key is carried out once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from goclaw.core.callers import Scope
from tests.doors.calling import SEND, Answer, Caller
from tests.doors.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

Ask = Callable[[Caller, str, str], Awaitable[Answer]]
"""Caller, idempotency key, text."""

WAKE = """
    mutation ($input: WakeAgentInput!) { wakeAgent(input: $input) { content run { id } } }
"""
NEW_KEY = """
    mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { id } } }
"""


async def send(world: World, caller: Caller, key: str, text: str) -> Answer:
    rows = await world.recent()
    sent = {"agentId": rows["agent"], "text": text, "idempotencyKey": key}
    return await caller.graphql(SEND, input=sent)


async def send_by_header(world: World, caller: Caller, key: str, text: str) -> Answer:
    rows = await world.recent()
    body = {
        "query": SEND,
        "variables": {"input": {"agentId": rows["agent"], "text": text}},
    }
    return await caller.rest("POST", "/graphql", body, headers={"Idempotency-Key": key})


async def wake(world: World, caller: Caller, key: str, text: str) -> Answer:
    rows = await world.recent()
    sent = {"agentId": rows["agent"], "message": text, "idempotencyKey": key}
    return await caller.graphql(WAKE, input=sent)


async def wake_v1(world: World, caller: Caller, key: str, text: str) -> Answer:
    rows = await world.recent()
    path = f"/v1/agents/{rows['agent']}/wake"
    return await caller.rest("POST", path, {"message": text}, headers={"Idempotency-Key": key})


async def wake_later(world: World, caller: Caller, key: str, text: str) -> Answer:
    rows = await world.recent()
    path = f"/v1/agents/{rows['agent']}/wake"
    headers = {"Idempotency-Key": key, "Prefer": "respond-async"}
    return await caller.rest("POST", path, {"message": text}, headers=headers)


async def make_key(world: World, caller: Caller, key: str, text: str) -> Answer:
    sent = {"name": text, "scopes": ["READ"], "idempotencyKey": key}
    return await caller.graphql(NEW_KEY, input=sent)


async def make_key_v1(world: World, caller: Caller, key: str, text: str) -> Answer:
    sent = {"name": text, "scopes": ["operator.read"]}
    return await caller.rest("POST", "/v1/api-keys", sent, headers={"Idempotency-Key": key})


RUNS = (send, send_by_header, wake, wake_v1, wake_later)
KEYS = (make_key, make_key_v1)
every_way = pytest.mark.parametrize("ask", [*RUNS, *KEYS], ids=lambda ask: ask.__name__)


def caller_for(world: World, ask: Any) -> Caller:
    return world.caller(Scope.ADMIN if ask in KEYS else Scope.WRITE)


def told(answer: Answer) -> Any:
    """What a repeat must tell again: the run, the answer, the key."""
    body = answer.data if "data" in answer.body else answer.body
    for name in ("sendMessage", "wakeAgent", "createApiKey"):
        body = body.get(name, body)
    names = ("id", "content", "run", "run_id", "secret", "key", "apiKey")
    return {name: body[name] for name in names if name in body}


async def made(world: World, ask: Any) -> int:
    """How many runs or keys there are."""
    if ask in KEYS:
        answer = await world.root().graphql("{ apiKeys { totalCount } }")
        return int(answer.data["apiKeys"]["totalCount"])
    answer = await world.root("ada").graphql("{ runs { totalCount } }")
    return int(answer.data["runs"]["totalCount"])


@every_way
async def test_a_repeat_is_told_the_same(world: World, ask: Any) -> None:
    await world.recent()
    before = await made(world, ask)
    caller, key = caller_for(world, ask), f"repeat-{ask.__name__}"
    first = await ask(world, caller, key, "Again?")
    await world.settle()
    second = await ask(world, caller, key, "Again?")
    assert (first.status, first.error) == (second.status, None), second.text
    assert told(first)
    assert told(second) == told(first)
    assert await made(world, ask) == before + 1


@every_way
async def test_the_same_key_for_something_else_is_a_conflict(world: World, ask: Any) -> None:
    caller, key = caller_for(world, ask), f"other-{ask.__name__}"
    await ask(world, caller, key, "This.")
    await world.settle()
    before = await made(world, ask)
    answer = await ask(world, caller, key, "That.")
    assert answer.code == "idempotency_mismatch", answer.text
    assert answer.status == (409 if ask.__name__.endswith(("v1", "later")) else 200)
    assert await made(world, ask) == before


@every_way
async def test_at_once_they_are_one(world: World, ask: Any) -> None:
    await world.recent()
    before = await made(world, ask)
    caller, key = caller_for(world, ask), f"at-once-{ask.__name__}"
    answers = await asyncio.gather(*(ask(world, caller, key, "Now!") for _ in range(5)))
    assert [answer.error for answer in answers] == [None] * 5
    assert [told(answer) for answer in answers] == [told(answers[0])] * 5
    assert await made(world, ask) == before + 1


@every_way
async def test_without_a_key_each_is_carried_out(world: World, ask: Any) -> None:
    await world.recent()
    before = await made(world, ask)
    for key in (f"one-{ask.__name__}", f"two-{ask.__name__}"):
        answer = await ask(world, caller_for(world, ask), key, "Again?")
        assert answer.error is None, answer.text
    await world.settle()
    assert await made(world, ask) == before + 2


async def test_a_key_is_its_callers_own(world: World) -> None:
    """Another user's request under the same key is another request."""
    default = await world.root("bob").graphql('{ agents(search: "default") { nodes { id } } }')
    assert default.data["agents"]["nodes"]
    first = await make_key(world, world.caller(Scope.ADMIN, "ada"), "own", "mine")
    second = await make_key(world, world.caller(Scope.ADMIN, "bob"), "own", "mine")
    assert told(first)["secret"] != told(second)["secret"]


@pytest.mark.parametrize("key", ["", "k" * 256], ids=["empty", "long"])
async def test_a_key_of_no_use_is_refused(world: World, key: str) -> None:
    before = await made(world, make_key)
    answer = await make_key(world, world.caller(Scope.ADMIN), key, "useless")
    assert answer.code == "invalid_input", answer.text
    assert answer.error is not None
    assert await made(world, make_key) == before


@pytest.mark.parametrize("ask", [wake, wake_v1], ids=lambda ask: ask.__name__)
async def test_a_wake_that_failed_fails_again_for_the_repeat(world: World, ask: Any) -> None:
    """The run is the same, so is what became of it; it never looks like an empty answer."""
    await world.recent()  # asks the model, too
    await world.at_rest()  # as those of other tests may, which would be told the failure
    world.upstream.fail(500)
    caller = world.caller(Scope.WRITE)
    first = await ask(world, caller, f"failed-{ask.__name__}", "Break.")
    assert first.code == "upstream_failed", first.text
    second = await ask(world, caller, f"failed-{ask.__name__}", "Break.")
    assert second.code == "run_failed", second.text
    assert second.status == first.status


async def test_a_message_that_could_not_be_sent_may_be_sent_again(world: World) -> None:
    """A refusal is not kept as the answer to the key."""
    rows = await world.talking()
    caller = world.caller(Scope.WRITE)
    sent = {"sessionId": rows["session"], "text": "And?", "idempotencyKey": "busy"}
    refused = await caller.graphql(SEND, input=sent)
    assert refused.code == "session_busy", refused.text
    await world.hush()
    again = await caller.graphql(SEND, input=sent)
    assert again.error is None, again.text
    await world.settle()
