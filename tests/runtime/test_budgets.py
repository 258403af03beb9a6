"""What runs may cost, and how all of them are stopped."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from goclaw.core.callers import Scope
from goclaw.core.errors import BudgetExceeded, Conflict, NotFound, Unavailable
from goclaw.models.agents import AgentPatch, ShareCreate
from goclaw.models.run_stops import StopRuns
from goclaw.models.runs import RunStatus
from goclaw.resolvers.agents import get_agent, share_agent, update_agent
from goclaw.resolvers.run_stops import get_runs_state, resume_runs, stop_all_runs
from goclaw.resolvers.services import Services
from goclaw.runtime import budgets
from goclaw.store.heartbeats import beat
from tests.runtime.acting import Scene, set_scene
from tests.support.callers import context
from tests.upstream import ScriptedUpstream, Usage, call

CENT = Usage(input=0, output=1, cached=0)


PRICES = {"scripted-1": {"input_usd": 0, "output_usd": 10_000}}
"""Each written token costs one cent, but those of other models."""


@pytest.fixture
async def scene(services: Services, upstream: ScriptedUpstream) -> Scene:
    return await set_scene(services, upstream, max_attempts=1, breaker_failures=0, prices=PRICES)


async def warnings(scene: Scene) -> list[dict[str, Any]]:
    rows = await scene.services.database.pool.fetch(
        "select * from events where kind = 'budget.warning' order by xid, id"
    )
    return [dict(row) for row in rows]


async def patch(scene: Scene, **changes: Any) -> None:
    agent = await get_agent(scene.ctx.afresh(), "scribe")
    await update_agent(scene.ctx.afresh(), agent.id, AgentPatch(**changes))


async def spend(scene: Scene, cents: int) -> None:
    scene.upstream.reply("Done.", usage=Usage(0, cents, 0))
    await (await scene.start()).reply()


async def test_an_agents_budget_of_the_month(scene: Scene) -> None:
    await patch(scene, budget_monthly_cents=10)
    await spend(scene, 7)
    assert await warnings(scene) == []
    await spend(scene, 1)
    await spend(scene, 1)
    await spend(scene, 1)
    [warning] = await warnings(scene)
    assert warning["audience"] == "agent"
    assert (warning["payload"]["used"], warning["payload"]["limit"]) == (8, 10)
    with pytest.raises(BudgetExceeded, match="10 of 10 US cents"):
        await scene.start()
    assert len(scene.upstream.requests) == 4
    await patch(scene, budget_monthly_cents=20)
    await spend(scene, 1)


async def test_what_other_workers_spent_counts(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await patch(scene, budget_monthly_cents=10)
    await spend(scene, 1)
    await scene.services.database.pool.fetch("update runs set cost_usd = 0.5")
    monkeypatch.setattr(budgets, "KEPT_S", -1.0)
    with pytest.raises(BudgetExceeded):
        await scene.start()


async def test_last_months_runs_do_not_count(scene: Scene) -> None:
    await patch(scene, budget_monthly_cents=10)
    await spend(scene, 10)
    await scene.services.database.pool.fetch(
        "update runs set id = ('0190' || substr(id::text, 5))::uuid, session_id = null"
    )
    await spend(scene, 1)


async def test_a_budget_is_looked_at_before_each_model_call(scene: Scene) -> None:
    await patch(scene, budget_monthly_cents=10)
    scene.upstream.reply(
        calls=(call("weather"),), said_before="Let me look.", usage=Usage(0, 10, 0)
    )
    run = await scene.start()
    with pytest.raises(BudgetExceeded):
        await run.reply()
    assert [m.role for m in await scene.stored()] == ["user", "assistant", "tool"]
    ended = await scene.run()
    assert (ended.status, ended.error_code) == (RunStatus.ERROR, "agent_cents_spent")
    assert ended.cost_usd == Decimal("0.1")
    trace, _ = await scene.trace()
    assert (trace.total_cost_usd, trace.llm_call_count) == (Decimal("0.1"), 1)


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"budget_cents": 5}, "run_cents_spent"),
        ({"budget_cents": 0, "budget_tokens": 5}, "run_tokens_spent"),
    ],
)
async def test_no_run_makes_a_surprise_bill(
    scene: Scene, limits: dict[str, int], code: str
) -> None:
    runner = scene.services.runner
    runner._limits = replace(runner._limits, **limits)
    if code == "run_tokens_spent":
        await patch(scene, model="unpriced")
    for number in range(3):
        scene.upstream.reply(calls=(call("weather", city=f"c{number}"),), usage=Usage(0, 3, 0))
    run = await scene.start()
    with pytest.raises(BudgetExceeded) as raised:
        await run.reply()
    assert raised.value.code == code
    assert len(scene.upstream.requests) == 2


async def test_keys_and_users_have_budgets(scene: Scene) -> None:
    key = context(scene.services, "ada", key_id=uuid4())
    caller = key.caller._replace(tokens_per_day=5)
    key._caller = caller
    scene.ctx = key
    await spend(scene, 5)
    with pytest.raises(BudgetExceeded, match="tokens for today"):
        await scene.start()
    assert await warnings(scene) == []  # from nothing to everything in one call

    settings = scene.services.settings.model_copy(update={"user_budget_monthly_cents": 6})
    scene.services = replace(scene.services, settings=settings)
    scene.ctx = context(scene.services, "ada")
    await spend(scene, 1)
    [warning] = await warnings(scene)
    assert (warning["audience"], warning["user_id"]) == ("user", "ada")
    with pytest.raises(BudgetExceeded, match="user's budget"):
        await scene.start()
    agent = await get_agent(scene.ctx, "scribe")
    await share_agent(scene.ctx, agent.id, ShareCreate(user_id="bob"))
    scene.ctx = context(scene.services, "bob")
    await spend(scene, 1)


async def test_all_runs_are_stopped_and_none_begins(scene: Scene) -> None:
    boss = context(scene.services, "boss", Scope.ADMIN)
    scene.upstream.reply(calls=(call("wait"),))
    run = await scene.start()
    answering = asyncio.create_task(run.reply())
    await scene.tool_started()

    stop = await stop_all_runs(boss, StopRuns(reason="the bill"))
    with pytest.raises(Conflict, match="cancelled"):
        await answering
    assert (await scene.run()).status == RunStatus.CANCELLED
    with pytest.raises(Unavailable, match="the bill"):
        await scene.start()
    in_force = (await get_runs_state(scene.ctx)).stop
    assert in_force is not None
    assert in_force.id == stop.id
    assert (await stop_all_runs(boss.afresh(), StopRuns())).id == stop.id

    await resume_runs(boss.afresh(), stop.id)
    assert (await get_runs_state(scene.ctx)).stop is None
    await spend(scene, 1)
    with pytest.raises(NotFound):
        await resume_runs(boss.afresh(), uuid4())
    kinds = await scene.services.database.pool.fetch(
        "select kind from events where topic = 'run_stop' order by xid, id"
    )
    assert [row["kind"] for row in kinds] == ["run_stop.begun", "run_stop.ended"]


async def test_a_worker_that_did_not_hear_of_the_stop_learns_it_with_its_next_beat(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:

    scene.upstream.reply(calls=(call("wait"),))
    run = await scene.start()
    answering = asyncio.create_task(run.reply())
    await scene.tool_started()
    database, worker = scene.services.database, scene.services.runner.worker
    assert not (await beat(database, [run.id], worker)).stopped
    monkeypatch.setattr(scene.services.remote, "cancel_all", lambda: None)
    await stop_all_runs(context(scene.services, "boss", Scope.ADMIN), StopRuns())
    assert (await beat(database, [run.id], worker)).stopped
    answering.cancel()
    await asyncio.gather(answering, return_exceptions=True)
