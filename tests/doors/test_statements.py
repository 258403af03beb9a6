"""How often a chat call waits for the database before its answer is out."""

from typing import Any

import pytest

from goclaw.core.callers import Scope
from tests.doors.calling import Caller
from tests.doors.round_trips import counting
from tests.doors.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 2
"""The run and its question, the answer; who is calling and where it goes is remembered."""


def door(world: World, kind: str) -> Caller:
    return world.caller(Scope.WRITE) if kind == "key" else world.root("ada")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("kind", ["key", "token"])
async def test_a_chat_call_asks_the_database_no_more_than_it_must(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str, stream: bool
) -> None:
    caller = door(world, kind)
    for _ in range(3):  # statements are prepared once a connection
        assert (await caller.chat(stream=stream)).status == 200
    fewest: list[str] | None = None
    for _ in range(5):
        with counting(monkeypatch) as requests:
            answer = await caller.chat(stream=stream)
        assert answer.status == 200
        (request,) = requests
        if fewest is None or len(request.own) < len(fewest):
            fewest = request.own
    assert fewest is not None
    assert len(fewest) == LIMIT, fewest


async def test_a_conversation_that_goes_on_costs_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = door(world, "key")
    said: list[Any] = [{"role": "user", "content": "One?"}]
    counts = []
    for _ in range(6):
        with counting(monkeypatch) as requests:
            answer = await caller.chat(messages=said)
        reply = answer.body["choices"][0]["message"]["content"]
        said = [
            *said,
            {"role": "assistant", "content": reply},
            {"role": "user", "content": "And?"},
        ]
        counts.append(len(requests[0].own))
    assert min(counts[1:]) == LIMIT, counts
    sessions = await world.root("ada").graphql("{ sessions(first: 1) { nodes { messageCount } } }")
    assert sessions.data["sessions"]["nodes"] == [{"messageCount": 12}]


async def test_the_counter_sees_transactions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a transaction on the request path would go unnoticed."""
    rows = await world.recent()
    rename = "mutation ($input: RenameSessionInput!) { renameSession(input: $input) { id } }"
    with counting(monkeypatch) as requests:
        answer = await world.root("ada").graphql(
            rename, input={"id": rows["session"], "label": "Seen"}
        )
    assert answer.data["renameSession"]["id"] == rows["session"]
    sent = (*requests[0].own, *requests[0].others)
    assert [text for text in sent if text.startswith("query BEGIN")]
    assert [text for text in sent if text.startswith("query COMMIT")]
