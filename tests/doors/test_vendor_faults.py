"""What a model vendor can do wrong, seen from every way of speaking to an agent."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from goclaw.core.callers import Scope
from goclaw.providers.config import Timeouts
from goclaw.providers.wire import WireClient
from tests.doors.calling import CANCEL, FOLLOW_RUN, SEND, Answer, Caller
from tests.doors.world import World
from tests.upstream import Script

pytestmark = pytest.mark.asyncio(loop_scope="module")

WAKE = "mutation ($input: WakeAgentInput!) { wakeAgent(input: $input) { content } }"
BROKEN_JSON = b'{"id": "x", "choices": [{"message": {"content": "half'


@dataclass(frozen=True, slots=True)
class Fault:
    """`said` is what came before it, in a stream."""

    name: str
    script: Script
    status: int
    code: str
    retry_after: str | None = None
    said: str = ""


FAULTS = (
    Fault("401", Script(status=401), 502, "upstream_credential"),
    Fault("403", Script(status=403), 502, "upstream_credential"),
    Fault("404", Script(status=404, message="no such model"), 502, "upstream_refused"),
    Fault(
        "429",
        Script(status=429, headers=(("Retry-After", "7"),)),
        429,
        "upstream_rate_limited",
        "7",
    ),
    Fault("500", Script(status=500, message="out of order"), 502, "upstream_failed"),
    Fault(
        "503",
        Script(status=503, headers=(("Retry-After", "9"),)),
        502,
        "upstream_failed",
        "9",
    ),
    Fault("garbage", Script(raw=b"<html>not a model</html>"), 502, "upstream_garbage"),
    Fault(
        "broken json",
        Script(raw=BROKEN_JSON, content_type="application/json"),
        502,
        "upstream_garbage",
    ),
    Fault("nothing", Script(drop=True), 502, "upstream_unreachable"),
    Fault("silence", Script(silent=True), 504, "upstream_timeout"),
    Fault("cut at once", Script(cut_after=0), 502, "upstream_cut"),
    Fault("broken at once", Script(cut_after=0, abort=True), 502, "upstream_cut"),
)
LATE_FAULTS = (
    Fault("cut", Script("One two three.", cut_after=1), 200, "upstream_cut", said="One t"),
    Fault(
        "broken",
        Script("One two three.", cut_after=1, abort=True, every=0.05),
        200,
        "upstream_cut",
        said="One t",
    ),
    Fault(
        "error inside",
        Script("One two three.", error_after=1, message="overloaded"),
        200,
        "upstream_failed",
        said="One t",
    ),
    Fault(
        "silence inside",
        Script("One two three.", every=60),
        200,
        "upstream_timeout",
        said="One t",
    ),
)

timed = pytest.mark.usefixtures("impatient")
every_fault = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
every_late_fault = pytest.mark.parametrize("fault", LATE_FAULTS, ids=lambda fault: fault.name)


@pytest.fixture
def impatient(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A vendor that is silent for half a second has failed."""
    opened = WireClient.__init__

    def open_impatient(self: WireClient, *args: Any) -> None:
        config, vendor, base_url, outbound, _ = args
        quick = Timeouts(first_token_s=0.5, between_s=0.5, total_s=0.5)
        opened(self, config, vendor, base_url, outbound, quick)

    monkeypatch.setattr(WireClient, "__init__", open_impatient)
    world.services.clients._open.clear()
    yield
    world.services.clients._open.clear()


@pytest.fixture
def ada(world: World) -> Caller:
    world.upstream._queue.clear()
    return world.caller(Scope.WRITE)


def next_is(world: World, fault: Fault) -> None:
    world.upstream._queue.append(fault.script)
    if fault.script.drop:  # a connection that was closed at the moment of use is replaced
        world.upstream._queue.append(fault.script)


async def newest_run(world: World) -> Any:
    await world.settle()
    answer = await world.root("ada").graphql(
        """{ runs(first: 1) { nodes {
            id status errorCode errorMessage session { activeRun { id } messageCount }
            trace { status error spans { status error } }
        } } }"""
    )
    (run,) = answer.data["runs"]["nodes"]
    return run


async def assert_failed(world: World, fault: Fault, *, said: str = "") -> None:
    """The run, its trace and all its steps say so, and the session is free again."""
    run = await newest_run(world)
    assert (run["status"], run["errorCode"]) == ("ERROR", fault.code)
    assert run["errorMessage"]
    assert (run["trace"]["status"], run["trace"]["error"]) == ("ERROR", run["errorMessage"])
    for span in run["trace"]["spans"]:
        assert (span["status"], span["error"]) == ("ERROR", run["errorMessage"])
    assert run["session"] == {"activeRun": None, "messageCount": 2 if said else 1}
    assert "sk-upstream-secret" not in str(run)


def assert_openai_error(answer: Answer, fault: Fault) -> None:
    assert answer.status == fault.status, answer.text
    error = answer.body["error"]
    kind = "rate_limit_error" if fault.status == 429 else "server_error"
    assert (error["code"], error["type"], error["param"]) == (fault.code, kind, None)
    assert "scripted" in error["message"]
    assert answer.headers.get("Retry-After") == fault.retry_after
    assert answer.headers["X-GoClaw-Run-Id"]


@timed
@every_fault
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_chat(world: World, ada: Caller, fault: Fault, stream: bool) -> None:
    """Also where a stream was asked for: nothing has been sent that would speak against it."""
    if not stream and fault.name == "cut at once":
        fault = FAULTS[-1]
    next_is(world, fault)
    answer = await ada.chat(stream=stream)
    assert_openai_error(answer, fault)
    await assert_failed(world, fault)


@timed
@every_late_fault
async def test_a_stream_that_breaks_never_looks_like_an_answer(
    world: World, ada: Caller, fault: Fault
) -> None:
    next_is(world, fault)
    answer = await ada.chat(stream=True)
    assert answer.status == 200
    *chunks, last = answer.events
    text = "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks)
    assert text == fault.said
    assert all(chunk["choices"][0]["finish_reason"] is None for chunk in chunks)
    assert last["error"]["code"] == fault.code
    assert "[DONE]" not in answer.text
    await assert_failed(world, fault, said=text)


@timed
@every_fault
async def test_wake_at_v1(world: World, ada: Caller, fault: Fault) -> None:
    next_is(world, fault)
    answer = await ada.rest("POST", "/v1/agents/scribe/wake", {"message": "Wake up."})
    assert (answer.status, answer.code) == (fault.status, fault.code), answer.text
    assert answer.headers.get("Retry-After") == fault.retry_after
    await assert_failed(world, fault)


@timed
@every_fault
async def test_wake_in_graphql(world: World, ada: Caller, fault: Fault) -> None:
    agent = (await ada.graphql('{ agent(key: "scribe") { id } }')).data["agent"]["id"]
    next_is(world, fault)
    answer = await ada.graphql(WAKE, input={"agentId": agent, "message": "Wake up."})
    assert answer.code == fault.code, answer.text
    assert answer.error is not None
    after = answer.error["extensions"].get("retryAfterS")
    assert after == (None if fault.retry_after is None else int(fault.retry_after))
    await assert_failed(world, fault)


@timed
@pytest.mark.parametrize("fault", [*FAULTS, *LATE_FAULTS], ids=lambda fault: fault.name)
async def test_a_message_that_is_followed(world: World, ada: Caller, fault: Fault) -> None:
    agent = (await ada.graphql('{ agent(key: "scribe") { id } }')).data["agent"]["id"]
    next_is(world, fault)
    sent = await ada.graphql(SEND, input={"agentId": agent, "text": "Hello?"})
    run_id = sent.data["sendMessage"]["id"]
    async with ada.follow(FOLLOW_RUN, id=run_id) as events:
        followed = await events.run()
        assert (await events.socket.receive())["type"] == "complete"
    assert followed.text == fault.said
    assert followed.run == {"id": run_id, "status": "ERROR", "errorCode": fault.code}
    assert followed.message == ({"content": fault.said} if fault.said else None)
    await assert_failed(world, fault, said=fault.said)


@timed
async def test_after_a_failure_the_next_call_is_answered(world: World, ada: Caller) -> None:
    """Nothing of it sticks to the connection, the session or the client."""
    for fault in (*FAULTS[-3:], *LATE_FAULTS):
        next_is(world, fault)
        assert (await ada.chat(stream=True)).status == fault.status
    for _ in range(3):
        answer = await ada.chat()
        assert answer.body["choices"][0]["message"]["content"] == Script().text


async def test_listing_and_verifying_tell_what_is_wrong(world: World, ada: Caller) -> None:
    provider = f"/v1/providers/{world.provider.id}"
    world.upstream.fail(429, retry_after=7)
    models = await ada.rest("GET", f"{provider}/models")
    assert (models.status, models.code) == (429, "upstream_rate_limited")
    assert models.headers["Retry-After"] == "7"
    world.upstream.fail(401)
    verified = await ada.rest("POST", f"{provider}/verify", {"model": "scripted-1"})
    assert (verified.status, verified.body["valid"]) == (200, False)
    assert "API key" in verified.body["error"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_hanging_up_before_the_answer_cancels_the_call(
    world: World, ada: Caller, stream: bool
) -> None:
    hung_up = world.upstream.hung_up
    world.upstream.silence()
    asked = len(world.upstream.requests)
    calling = asyncio.create_task(ada.chat(stream=stream))
    await world.upstream.until(lambda: len(world.upstream.requests) > asked)
    calling.cancel()
    await world.upstream.until_hung_up(hung_up + 1)
    run = await ended_run(world)
    assert (run["status"], run["errorCode"]) == ("CANCELLED", "run_cancelled")
    assert run["session"]["activeRun"] is None


async def test_hanging_up_in_the_middle_keeps_what_was_said(world: World, ada: Caller) -> None:
    hung_up = world.upstream.hung_up
    world.upstream.reply("word " * 100, deltas=100, every=0.05)
    async with ada.chat_stream() as stream:
        first = await stream.text()
    await world.upstream.until_hung_up(hung_up + 1)
    run = await ended_run(world)
    assert run["status"] == "CANCELLED"
    kept = await world.root("ada").graphql(
        "query ($id: UUID!) { run(id: $id) { session { messages { nodes { content } } } } }",
        id=run["id"],
    )
    question, answer = kept.data["run"]["session"]["messages"]["nodes"]
    assert question["content"] == "Hello?"
    assert answer["content"].startswith(first)


async def ended_run(world: World) -> Any:
    for _ in range(200):
        run = await newest_run(world)
        if run["status"] != "RUNNING":
            return run
        await asyncio.sleep(0.02)
    raise TimeoutError("the run goes on")


async def test_cancelling_a_streaming_chat_call_ends_it_with_an_error(
    world: World, ada: Caller
) -> None:
    hung_up = world.upstream.hung_up
    world.upstream.reply("word " * 100, deltas=100, every=0.05)
    async with ada.chat_stream() as stream:
        await stream.text()
        run_id = stream.response.headers["X-GoClaw-Run-Id"]
        cancelled = await ada.graphql(CANCEL, input={"runId": run_id})
        assert cancelled.data["cancelRun"] == {"id": run_id, "status": "CANCELLED"}
        events = await stream.rest()
    assert events[-1]["error"]["code"] == "run_cancelled"
    assert None not in events
    await world.upstream.until_hung_up(hung_up + 1)


async def test_cancelling_a_chat_call_that_waits(world: World, ada: Caller) -> None:
    world.upstream.silence()
    asked = len(world.upstream.requests)
    calling = asyncio.create_task(ada.chat())
    await world.upstream.until(lambda: len(world.upstream.requests) > asked)
    (run_id,) = world.services.runner.live
    cancelled = await ada.graphql(CANCEL, input={"runId": str(run_id)})
    assert cancelled.data["cancelRun"]["status"] == "CANCELLED"
    answer = await calling
    assert (answer.status, answer.code) == (409, "run_cancelled")


async def test_cancelling_what_has_ended_changes_nothing(world: World, ada: Caller) -> None:
    rows = await world.recent()
    before = await world.digest()
    answer = await ada.graphql(CANCEL, input={"runId": rows["run"]})
    assert answer.data["cancelRun"]["status"] == "COMPLETED"
    assert await world.digest() == before
