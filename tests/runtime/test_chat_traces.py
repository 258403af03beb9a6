"""What PostgreSQL makes of the record of a chat call is what the rows of the same run say."""

from contextlib import suppress
from typing import Any

import pytest

from goclaw.core.errors import GatewayError
from goclaw.core.ids import uuid7
from goclaw.models.agents import AgentPatch
from goclaw.resolvers.agents import update_agent
from goclaw.resolvers.services import Services
from goclaw.runtime.accounts import Outcome
from goclaw.runtime.trace_writer import Make
from tests.runtime.acting import Bench, Scene, chat
from tests.support.callers import add_agent, add_provider, context
from tests.upstream import Script, ScriptedUpstream, Usage

SECRET = "sk-proj-" + "a1B2" * 12
SCRIPTS = {
    "an answer": [Script("We open at nine. " * 60, usage=Usage(cached=3, reasoning=2))],
    "nothing said of use": [Script(usage=None)],
    "quotes, other scripts and a secret": [
        Script('"\\ \u2028 giờ mở cửa 🦀 sk-proj-' + "a1B2" * 12)
    ],
    "a refusal": [Script(status=400, message="no such thing")],
    "a second try": [Script(status=500), Script()],
    "a cut stream": [Script(cut_after=2)],
}
PRICE = {"input_usd": 1.37, "output_usd": 5}
IDS = ("id", "trace_id", "parent_span_id")


@pytest.fixture
async def scene(services: Services, upstream: ScriptedUpstream) -> Scene:
    """Of an agent without tools."""
    provider = await add_provider(
        services, upstream, max_attempts=2, breaker_failures=0, prices={"scripted-1": PRICE}
    )
    await add_agent(services, provider)
    return Scene(services, upstream, Bench(), context(services))


async def ended(scene: Scene, scripts: list[Script], monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """One call, and what it handed in."""
    handed_in: list[Make] = []
    scene.upstream.queue(*scripts)
    with monkeypatch.context() as patch:
        patch.setattr(scene.services.traces, "add_later", handed_in.append)
        run = await scene.start(chat("Giờ mở cửa là gì, với " + "rất " * 200))
        with suppress(GatewayError):
            await run.reply()
        await scene.until_ended()
    [make] = handed_in
    outcome: Outcome = make.__self__  # type: ignore[attr-defined]
    return outcome


async def written(scene: Scene, outcome: Outcome) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The trace and its spans, which lead to each other; ids aside."""
    await scene.services.traces.flush()
    pool, id = scene.services.database.pool, outcome.run.trace_id
    [trace] = await pool.fetch("select * from traces where id = $1", id)
    spans = await pool.fetch("select * from spans where trace_id = $1 order by span_type", id)
    assert [span["parent_span_id"] for span in spans] == [
        None,
        *(spans[0]["id"] for _ in spans[1:]),
    ]
    return plain(trace), [plain(span) for span in spans]


def plain(row: Any) -> dict[str, Any]:
    return {name: value for name, value in dict(row).items() if name not in IDS}


@pytest.mark.parametrize("contents", [True, False], ids=["contents", "no contents"])
@pytest.mark.parametrize("scripts", SCRIPTS.values(), ids=SCRIPTS)
async def test_a_record_becomes_the_rows_of_its_run(
    scene: Scene, scripts: list[Script], contents: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await scene.services.database.pool.fetchval("select id from agents where key = 'scribe'")
    await update_agent(scene.ctx, id, AgentPatch(store_contents=contents))
    outcome = await ended(scene, scripts, monkeypatch)
    scene.services.traces.add_later(outcome.chat_trace)
    trace, spans = await written(scene, outcome)
    assert [span["span_type"] for span in spans] == ["agent", "llm_call"]
    assert (trace["input_preview"] is not None) == contents
    assert (trace["total_cost_usd"] is None) == (trace["total_input_tokens"] == 0)

    outcome.run.trace_id = uuid7()
    scene.services.traces.add(*outcome.trace_rows())
    assert (trace, spans) == await written(scene, outcome)


async def test_a_run_without_a_model_call_has_no_span_of_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = await ended(scene, [Script()], monkeypatch)
    outcome.run.close_call()
    outcome = Outcome(outcome.run, outcome.status, None, scene.services.scrubber)
    scene.services.traces.add_later(outcome.chat_trace)
    trace, spans = await written(scene, outcome)
    assert [span["span_type"] for span in spans] == ["agent"]
    outcome.run.trace_id = uuid7()
    scene.services.traces.add(*outcome.trace_rows())
    assert (trace, spans) == await written(scene, outcome)
    assert scene.services.traces.written == 4
