"""Followers of a run are told when its model is asked once more, and of whom."""

from typing import Any

import pytest

from goclaw.core.errors import GatewayError, Unavailable
from goclaw.core.paging import PageRequest
from goclaw.models.run_events import RunRetrying, RunText
from goclaw.resolvers.chat import start_chat
from goclaw.resolvers.runs import list_runs
from goclaw.resolvers.services import Services
from goclaw.runtime import retold
from tests.runtime.acting import Scene, chat, set_scene
from tests.runtime.test_fallback import add_chain, both_ways
from tests.runtime.test_followed_steps import followed, say
from tests.support.callers import context
from tests.upstream import ScriptedUpstream, call

KINDS = "select kind, payload from events where topic = $1 order by xid, id"


@pytest.fixture
async def scene(services: Services, upstream: ScriptedUpstream) -> Scene:
    return await set_scene(services, upstream, max_attempts=3, breaker_failures=0)


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("goclaw.runtime.retries.FIRST_WAIT_S", 0.002)


async def test_each_retry_is_told_in_its_place(scene: Scene) -> None:
    scene.upstream.fail(429, retry_after=0)
    scene.upstream.reply(calls=(call("weather", city="Rome"),))
    scene.upstream.fail(503)
    scene.upstream.fail(500)
    scene.upstream.reply("Sunny.")
    await (await scene.start()).reply()
    told = await scene.told()
    assert [kind for kind, _ in told] == [
        "run.started",
        "run.retrying",
        "tool.call",
        "tool.result",
        "run.retrying",
        "run.retrying",
        "run.ended",
    ]
    retries = [payload for kind, payload in told if kind == "run.retrying"]
    assert [(r["attempt"], r["max_attempts"], r["error_code"]) for r in retries] == [
        (2, 3, "upstream_rate_limited"),
        (2, 3, "upstream_failed"),
        (3, 3, "upstream_failed"),
    ]
    assert {(r["provider"], r["model"]) for r in retries} == {("scripted", "scripted-1")}
    assert all(r["wait_ms"] >= 0 for r in retries)
    run = await scene.run()
    assert {r["id"] for r in retries} == {str(run.id)}


@both_ways
async def test_each_hop_of_a_chain_is_told(
    services: Services, upstream: ScriptedUpstream, way: Any
) -> None:
    await add_chain(services, upstream)
    upstream.fail(500)
    upstream.fail(429, retry_after=0)
    upstream.reply("Here I am.")
    assert await way(await start_chat(context(services), chat())) == "Here I am."
    [run] = (await list_runs(context(services), PageRequest())).rows
    rows = await services.database.pool.fetch(KINDS, f"run:{run.id}")
    hops = [row["payload"] for row in rows if row["kind"] == "run.retrying"]
    assert [(hop["provider"], hop["model"], hop["attempt"], hop["error_code"]) for hop in hops] == [
        ("second", "gpt-4o", 1, "upstream_failed"),
        ("third", "gpt-4o-mini", 1, "upstream_rate_limited"),
    ]


async def test_who_follows_the_run_hears_of_it_before_the_answer(scene: Scene) -> None:
    scene.upstream.fail(503, head_after=0.5)
    scene.upstream.reply("Here I am.")
    run = await say(scene, "Hello?")
    events = await followed(scene, run.id)
    [retry] = [event for event in events if isinstance(event, RunRetrying)]
    assert (retry.attempt, retry.max_attempts, retry.error_code) == (2, 3, "upstream_failed")
    [text] = [event for event in events if isinstance(event, RunText)]
    assert events.index(retry) < events.index(text)


async def test_who_comes_while_the_call_is_made_again_hears_of_it_once(scene: Scene) -> None:
    scene.upstream.fail(503)
    scene.upstream.reply("Here I am.", head_after=1)
    run = await say(scene, "Hello?")
    await scene.upstream.until(lambda: len(scene.upstream.requests) == 2)
    events = await followed(scene, run.id)
    [retry] = [event for event in events if isinstance(event, RunRetrying)]
    assert (retry.attempt, retry.error_code) == (2, "upstream_failed")
    [text] = [event for event in events if isinstance(event, RunText)]
    assert events.index(retry) < events.index(text)
    late = await followed(scene, run.id)
    assert not any(isinstance(event, RunRetrying) for event in late)


async def test_no_retry_is_told_of_a_call_that_is_made_once(scene: Scene) -> None:
    scene.upstream.fail(400)
    run = await scene.start()
    with pytest.raises(GatewayError):
        await run.reply()
    assert [kind for kind, _ in await scene.told()] == ["run.started", "run.ended"]


async def test_a_database_that_is_away_holds_no_call_up(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        raise Unavailable("database_unavailable", retry_after_s=2)

    monkeypatch.setattr(retold, "note_retry", away)
    scene.upstream.fail(503)
    scene.upstream.reply("Here I am.")
    assert (await (await scene.start()).reply()).content == "Here I am."
