"""Two workers on one database: what one carries, the other can follow and stop."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from goclaw.core.callers import Scope
from tests.doors.calling import CANCEL, FOLLOW_RUN, SEND, Caller
from tests.doors.world import World
from tests.support.server import RunningServer, running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORD = "word "
FOLLOW_THOUGHT = """subscription ($id: UUID!) {
  runEvents(runId: $id) { __typename ... on RunThinking { offset text answerOffset } }
}"""
RUN = "query ($id: UUID!) { run(id: $id) { status errorCode } }"


@dataclass(frozen=True, slots=True)
class Pair:
    """The world's own server, and another."""

    world: World
    other: RunningServer

    @property
    def here(self) -> Caller:
        return self.world.caller(Scope.WRITE)

    @property
    def there(self) -> Caller:
        return Caller(self.world.http, self.other.url, self.world.tokens[Scope.WRITE], "ada")

    async def status(self, run_id: str) -> Any:
        for _ in range(300):
            run = (await self.there.graphql(RUN, id=run_id)).data["run"]
            if run["status"] != "RUNNING":
                return run
            await asyncio.sleep(0.02)
        raise TimeoutError("the run goes on")

    async def send(self, agent_id: str) -> str:
        sent = await self.here.graphql(SEND, input={"agentId": agent_id, "text": "Talk."})
        run_id: str = sent.data["sendMessage"]["id"]
        return run_id


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(world: World) -> AsyncIterator[Pair]:
    """The other worker looks for lost runs all the time."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("goclaw.runtime.upkeep.BEAT_S", 0.2)
        async with running_server(world.server.host) as other:
            yield Pair(world, other)


async def test_a_streaming_chat_call_is_cancelled_from_elsewhere(pair: Pair) -> None:
    hung_up = pair.world.upstream.hung_up
    pair.world.upstream.reply(WORD * 200, deltas=200, every=0.05)
    async with pair.here.chat_stream() as stream:
        await stream.text()
        run_id = stream.response.headers["X-GoClaw-Run-Id"]
        asked = await pair.there.graphql(CANCEL, input={"runId": run_id})
        assert asked.data["cancelRun"]["id"] == run_id
        events = await asyncio.wait_for(stream.rest(), 5)
    assert events[-1]["error"]["code"] == "run_cancelled"
    assert None not in events
    await pair.world.upstream.until_hung_up(hung_up + 1)
    assert (await pair.status(run_id)) == {"status": "CANCELLED", "errorCode": "run_cancelled"}


async def test_a_detached_run_is_cancelled_from_elsewhere(pair: Pair) -> None:
    rows = await pair.world.talking()
    await pair.there.graphql(CANCEL, input={"runId": rows["run"]})
    assert (await pair.status(rows["run"]))["status"] == "CANCELLED"
    assert pair.world.services.runner.live == {}


async def test_nobody_elses_run_can_be_cancelled_from_anywhere(pair: Pair) -> None:
    rows = await pair.world.talking()
    bob = Caller(pair.world.http, pair.other.url, pair.world.tokens[Scope.WRITE], "bob")
    refused = await bob.graphql(CANCEL, input={"runId": rows["run"]})
    assert refused.code == "run_not_found"
    await asyncio.sleep(0.2)
    assert list(pair.world.services.runner.live) == [UUID(rows["run"])]
    await pair.world.hush()


@pytest.mark.parametrize("late", [False, True], ids=["from the start", "late"])
async def test_a_run_is_followed_from_elsewhere(pair: Pair, late: bool) -> None:
    rows = await pair.world.recent()
    text = WORD * 30
    pair.world.upstream.reply(text, deltas=30, every=0.04)
    run_id = await pair.send(rows["agent"])
    if late:
        await asyncio.sleep(0.6)
    async with pair.there.follow(FOLLOW_RUN, id=run_id) as events:
        began = (await events.next())["runEvents"]
        assert began["__typename"] == "RunStarted"
        pieces: list[str] = []
        while (event := (await events.next())["runEvents"])["__typename"] == "RunText":
            assert event["offset"] == len("".join(pieces))
            pieces.append(event["text"])
    assert event["__typename"] == "RunEnded"
    assert event["run"] == {"id": run_id, "status": "COMPLETED", "errorCode": None}
    assert event["message"] == {"content": text}
    assert "".join(pieces) == text
    assert len(pieces) > 2  # as it came, not all at its end


async def test_thinking_is_followed_from_elsewhere(pair: Pair) -> None:
    rows = await pair.world.recent()
    thought = "So it is. " * 8
    pair.world.upstream.reply(WORD * 8, thinking=thought, deltas=8, every=0.1)
    run_id = await pair.send(rows["agent"])
    told = ""
    async with pair.there.follow(FOLLOW_THOUGHT, id=run_id) as events:
        while (event := (await events.next())["runEvents"])["__typename"] != "RunEnded":
            if event["__typename"] == "RunThinking":
                assert (event["offset"], event["answerOffset"]) == (len(told), 0)
                told += event["text"]
    assert told == thought


async def test_several_follow_one_run_from_both_sides(pair: Pair) -> None:
    rows = await pair.world.recent()
    text = WORD * 30
    pair.world.upstream.reply(text, deltas=30, every=0.04)
    run_id = await pair.send(rows["agent"])

    async def follow(caller: Caller, after_s: float) -> str:
        await asyncio.sleep(after_s)
        async with caller.follow(FOLLOW_RUN, id=run_id) as events:
            return (await events.run()).text

    callers = [(pair.here, 0), (pair.there, 0), (pair.there, 0.3), (pair.there, 0.5)]
    told = await asyncio.gather(*(follow(caller, after_s) for caller, after_s in callers))
    assert told == [text] * len(callers)


async def test_a_run_that_ended_is_told_whole_anywhere(pair: Pair) -> None:
    rows = await pair.world.recent()
    async with pair.there.follow(FOLLOW_RUN, id=rows["run"]) as events:
        followed = await events.run()
        assert (await events.socket.receive())["type"] == "complete"
    assert followed.text == followed.message["content"] == "Hello from the scripted model."


async def test_a_session_is_busy_for_the_other_worker_too(pair: Pair) -> None:
    rows = await pair.world.talking()
    sent = {"sessionId": rows["session"], "text": "And?"}
    assert (await pair.there.graphql(SEND, input=sent)).code == "session_busy"
    await pair.world.hush()
    assert (await pair.there.graphql(SEND, input=sent)).error is None


async def test_a_run_whose_worker_died_is_ended_by_another(pair: Pair) -> None:
    """Its worker forgets it, as one does that was killed, and its last beat is long ago."""
    rows = await pair.world.talking()
    run_id = UUID(rows["run"])
    async with pair.there.follow(FOLLOW_RUN, id=rows["run"]) as events:
        assert (await events.next())["runEvents"]["__typename"] == "RunStarted"
        lost = pair.world.services.runner.live.pop(run_id)
        connection = await asyncpg.connect(pair.other.host.dsn)
        await connection.execute(
            "update runs set heartbeat_at = now() - interval '2 minutes' where id = $1", run_id
        )
        await connection.execute(
            "update sessions set lease_until = now() - interval '1 minute' where lease_run_id = $1",
            run_id,
        )
        await connection.close()
        followed = await events.run()
    assert followed.run == {"id": rows["run"], "status": "ERROR", "errorCode": "run_lost"}
    assert followed.message is None
    sent = {"sessionId": rows["session"], "text": "Are you there?"}
    again = await pair.there.graphql(SEND, input=sent)
    assert again.error is None, again.text
    assert (await pair.status(again.data["sendMessage"]["id"]))["status"] == "COMPLETED"

    assert lost.task is not None
    lost.task.cancel()
    await asyncio.wait([lost.task])
    assert (await pair.status(rows["run"])) == {"status": "ERROR", "errorCode": "run_lost"}
