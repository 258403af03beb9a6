"""What runs used is the same before and after it was counted by the hour, however often."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from goclaw.core.callers import Caller, Scope, effective
from goclaw.core.ids import uuid7
from goclaw.models.purges import UserPurge
from goclaw.models.usage import UsageGroup, UsageStep
from goclaw.resolvers.purges import purge_user
from goclaw.resolvers.services import Services
from goclaw.runtime.retention import Retention
from goclaw.runtime.rollup import CHORE, Rollup, last_full_hour
from goclaw.store import database
from goclaw.store.database import Reads
from goclaw.store.usage import (
    SERIES,
    UsageFilter,
    span_of,
    usage_series,
    usage_shares,
    usage_totals,
)
from tests.support.callers import add_agent, add_provider, context
from tests.upstream import ScriptedUpstream

ALL = UsageFilter()
EVER = (None, None)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def this_hour() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def id_of(at: datetime) -> UUID:
    """As if made at that time."""
    random = uuid7().int & ((1 << 80) - 1)
    return UUID(int=int(at.timestamp() * 1000) << 80 | random)


class Life:
    """Runs written as if they had been carried."""

    def __init__(self, services: Services, agent_id: UUID) -> None:
        self.services = services
        self.agent_id = agent_id
        self.pool = services.database.pool

    async def run(
        self,
        ended: datetime,
        *calls: tuple[str, str, int, str | None],
        user_id: str = "ada",
        status: str = "completed",
        channel: str = "web",
        tools: int = 0,
        tokens: int | None = None,
        agent_id: UUID | None = None,
    ) -> UUID:
        """`calls` are provider, model, tokens of input and cost; `tokens` those of the run."""
        id, trace = id_of(ended), uuid7()
        costs = [Decimal(cost) for *_, cost in calls if cost is not None]
        await self.pool.execute(
            "insert into runs (id, agent_id, trace_id, user_id, channel, status, model,"
            " provider_name, first_seq, last_seq, input_tokens, output_tokens, cached_tokens,"
            " cost_usd, worker, started_at, heartbeat_at, ended_at)"
            " values ($1, $2, $3, $4, $5, $6, 'asked', 'first', 1, 1, $7, 5, 2, $8, '', $9, $9,"
            " $10)",
            id, agent_id or self.agent_id, trace, user_id, channel, status,
            sum(call[2] for call in calls) if tokens is None else tokens,
            sum(costs) if costs else None, ended - MINUTE, ended,
        )  # fmt: skip
        for place, call in enumerate(calls):
            await self.span(trace, ended - MINUTE + timedelta(seconds=place), call)
        for _ in range(tools):
            await self.span(trace, ended - MINUTE)
        return id

    async def span(
        self, trace: UUID, at: datetime, call: tuple[str, str, int, str | None] | None = None
    ) -> None:
        provider, model, tokens, cost = call or (None, None, None, None)
        await self.pool.execute(
            "insert into spans (id, trace_id, span_type, name, status, start_time, provider, model,"
            " input_tokens, output_tokens, cost_usd, metadata, created_at)"
            " values ($1, $2, $3, 'step', 'completed', $4, $5, $6, $7, 0, $8, $9, $4)",
            uuid7(), trace, "llm_call" if call else "tool_call", at, provider, model, tokens,
            None if cost is None else Decimal(cost),
            {"cached_tokens": 1, "reasoning_tokens": 3} if call else None,
        )  # fmt: skip

    async def count(self) -> None:
        await self.pool.execute("update chores set done_at = null where name = $1", CHORE)
        await Rollup(self.services.database).run_if_due()

    def reads(self, user_id: str | None = None, **more: Any) -> Reads:
        scope = Scope.READ if user_id else Scope.ADMIN
        return self.services.database.reads(Caller(effective(frozenset({scope})), user_id, **more))

    async def figures(self) -> list[dict[str, Any]]:
        """All that can be asked, as an administrator."""
        reads = self.reads()
        asked: list[Sequence[Any]] = [
            [await usage_totals(reads, EVER, ALL)],
            *[await usage_series(reads, EVER, step, ALL) for step in UsageStep],
            *[await usage_shares(reads, EVER, by, ALL) for by in UsageGroup],
        ]
        for some in (
            UsageFilter(provider="spare"), UsageFilter(model="m2"), UsageFilter(channel="web"),
            UsageFilter(agent_id=self.agent_id), UsageFilter(provider="first", model="m1"),
        ):  # fmt: skip
            asked.append([await usage_totals(reads, EVER, some)])
            asked.append(await usage_series(reads, EVER, UsageStep.HOUR, some))
        return [dict(row) for rows in asked for row in rows]

    async def counted_rows(self) -> int:
        return int(await self.pool.fetchval("select count(*) from usage_hours"))


@pytest.fixture
async def life(services: Services, upstream: ScriptedUpstream) -> Life:
    """As long as nothing was counted: the first counting of a new server is waited for."""
    agent = await add_agent(services, await add_provider(services, upstream))
    life = Life(services, agent.id)
    done = "select 1 from chores where name = $1 and done_at is not null"
    while not await life.pool.fetchval(done, CHORE):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await life.pool.execute("update usage_counted set until = null")
    return life


async def test_a_server_that_lost_count_begins_anew(life: Life) -> None:
    """The row that says how far was deleted by hand, or never restored."""
    await some_runs(life)
    await life.count()
    counted, figures = await life.counted_rows(), await life.figures()
    await life.pool.execute("delete from usage_counted")
    await life.count()
    assert await life.figures() == figures
    assert await life.counted_rows() == counted
    [row] = await life.pool.fetch("select id, until from usage_counted")
    assert (row["id"], row["until"]) == (1, last_full_hour(datetime.now(UTC)))


async def test_a_run_that_was_cancelled_before_it_began_asked_no_model(life: Life) -> None:
    began = await life.run(this_hour())
    waited = await life.run(this_hour(), status="cancelled", tokens=0)
    await life.pool.execute("update runs set lane = 'main', attempts = 1 where id = $1", began)
    await life.pool.execute("update runs set lane = 'main' where id = $1", waited)
    totals = await usage_totals(life.reads(), EVER, ALL)
    assert (totals.runs, totals.model_calls, totals.unpriced_calls) == (2, 1, 1)


async def some_runs(life: Life) -> None:
    """Three users in four hours, two providers, two models, a failure, lost spans."""
    hour = this_hour()
    first, spare, other = (
        ("first", "m1", 10, "0.5"),
        ("spare", "m1", 20, None),
        ("first", "m2", 7, "1"),
    )
    await life.run(hour - 3 * HOUR, first, spare, tools=3)
    await life.run(hour - 3 * HOUR + MINUTE, first, first, other)
    await life.run(hour - 2 * HOUR - MINUTE, first, user_id="bob", status="error")
    await life.run(hour - DAY, other, user_id="eve", channel="api")
    await life.run(hour - DAY, tokens=40)
    await life.run(hour, spare)


async def test_counted_or_not_the_figures_are_the_same(life: Life) -> None:
    await some_runs(life)
    live = await life.figures()
    await life.count()
    assert await life.counted_rows()
    assert await life.figures() == live
    before = await life.pool.fetch("select * from usage_hours order by 1, 2, 3, 4, 5, 6")
    await life.pool.execute("update usage_counted set until = null")
    await life.count()
    assert await life.pool.fetch("select * from usage_hours order by 1, 2, 3, 4, 5, 6") == before
    assert await life.figures() == live


@pytest.mark.parametrize("counted", [False, True])
async def test_every_figure(life: Life, counted: bool) -> None:
    await some_runs(life)
    if counted:
        await life.count()
    reads = life.reads()
    total = await usage_totals(reads, EVER, ALL)
    assert (total.runs, total.failed_runs, total.users) == (6, 1, 3)
    assert (total.model_calls, total.unpriced_calls, total.tool_calls) == (9, 3, 3)
    assert total.input_tokens == 30 + 27 + 10 + 7 + 40 + 20
    assert (total.output_tokens, total.cached_tokens) == (30, 2 + 3 + 2 + 2 + 2 + 2)
    assert (total.reasoning_tokens, total.cost_usd) == (24, Decimal("4.0"))
    assert total.avg_duration_ms == 60_000

    spare = await usage_totals(reads, EVER, UsageFilter(provider="spare"))
    assert (spare.runs, spare.model_calls, spare.tool_calls) == (2, 2, 3)
    assert (spare.unpriced_calls, spare.cost_usd, spare.users) == (2, Decimal(0), 1)
    for by in UsageGroup:
        shares = await usage_shares(reads, EVER, by, ALL)
        for name in ("runs", "model_calls", "tool_calls", "input_tokens", "cost_usd"):
            assert sum(getattr(s, name) for s in shares) == getattr(total, name), (by, name)
    [day, *_] = await usage_series(reads, EVER, UsageStep.DAY, UsageFilter(channel="api"))
    assert (day.at, day.users) == ((this_hour() - DAY).replace(hour=0), 1)


async def test_users_are_not_summed_over_hours(life: Life) -> None:
    for hours in (3, 4, 5):
        await life.run(this_hour() - hours * HOUR, ("first", "m1", 1, "1"))
    await life.count()
    total = await usage_totals(life.reads(), EVER, ALL)
    assert (total.runs, total.users) == (3, 1)


async def test_spans_that_come_after_their_hour_was_counted(life: Life) -> None:
    await life.count()
    last = last_full_hour(datetime.now(UTC)) - MINUTE
    run = await life.run(last, tokens=10)
    await life.count()
    trace = await life.pool.fetchval("select trace_id from runs where id = $1", run)
    await life.span(trace, last, ("spare", "m9", 10, "0.1"))
    await life.span(trace, last)
    await life.run(last, ("first", "m1", 5, "1"), user_id="late")
    await life.count()
    total = await usage_totals(life.reads(), EVER, ALL)
    assert (total.runs, total.input_tokens, total.tool_calls) == (2, 15, 1)
    [spare] = [s for s in await usage_shares(life.reads(), EVER, UsageGroup.MODEL, ALL)
               if s.key == "m9"]  # fmt: skip
    assert (spare.runs, spare.input_tokens) == (1, 10)


async def test_a_run_counts_where_it_ended_once(life: Life) -> None:
    """Also one that began before hours that were counted meanwhile."""
    await life.count()
    run = await life.run(this_hour() - 2 * HOUR, ("first", "m1", 5, "1"))
    await life.pool.execute(
        "update runs set ended_at = null, status = 'running', started_at = $2 where id = $1",
        run, this_hour() - 9 * HOUR,
    )  # fmt: skip
    await life.count()
    assert (await usage_totals(life.reads(), EVER, ALL)).runs == 0
    await life.pool.execute(
        "update runs set ended_at = now(), status = 'completed' where id = $1", run
    )
    for _ in range(2):
        assert (await usage_totals(life.reads(), EVER, ALL)).runs == 1
        await life.count()


async def test_parts_of_hours_are_exact(life: Life) -> None:
    hour = this_hour() - 5 * HOUR
    for minute in (5, 25, 45, 65):
        await life.run(hour + minute * MINUTE, ("first", "m1", 1, "1"))
    for _ in range(2):
        for since, until, runs in (
            (0, 60, 3), (10, 60, 2), (0, 30, 2), (10, 30, 1), (25, 45, 1), (50, 70, 1),
            (5, 65, 3), (5, 66, 4), (60, 120, 1), (30, 30, 0), (45, 5, 0),
        ):  # fmt: skip
            span = (hour + since * MINUTE, hour + until * MINUTE)
            assert (await usage_totals(life.reads(), span, ALL)).runs == runs, (since, until)
        await life.count()


async def test_runs_that_go_are_in_one_place(life: Life) -> None:
    """Counted or not when they are deleted, they are counted once."""
    old = this_hour() - 50 * DAY
    await life.run(old - DAY, ("first", "m1", 1, "1"))
    await life.count()
    await life.run(old, ("first", "m1", 2, "2"))
    await life.pool.execute("update usage_counted set until = $1", old)
    await life.run(this_hour(), ("first", "m1", 4, "4"))
    before = await life.figures()
    keep = life.services.settings.model_copy(update={"keep_runs_days": 32})
    await Retention(life.services.database, keep).run_if_due()
    assert await life.pool.fetchval("select count(*) from runs") == 1
    assert await life.pool.fetchval("select sum(runs) from usage_days") == 1
    total = await usage_totals(life.reads(), EVER, ALL)
    assert (total.runs, total.input_tokens, total.cost_usd) == (3, 7, Decimal(7))
    await life.count()
    assert await usage_totals(life.reads(), EVER, ALL) == total
    assert before[0]["input_tokens"] == total.input_tokens


async def test_many_workers_count_once(life: Life) -> None:
    await some_runs(life)
    live = await life.figures()
    await life.pool.execute("update chores set done_at = null where name = $1", CHORE)
    workers = [Rollup(life.services.database) for _ in range(5)]
    await asyncio.gather(*(worker.run_if_due() for worker in workers))
    assert await life.figures() == live


async def test_one_that_was_cut_short_is_gone_on_with(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    await some_runs(life)
    live = await life.figures()

    async def lost(*_: object) -> bool:
        return False

    with monkeypatch.context() as patch:
        patch.setattr("goclaw.runtime.rollup.keep_chore", lost)
        await life.count()
    assert await life.counted_rows() == 2, "the first hour, with two runs of two users"
    assert await life.figures() == live
    await life.count()
    assert await life.figures() == live, "somebody has the claim"
    await life.pool.execute("update chores set claimed_until = null")
    await life.count()
    assert await life.counted_rows() > 2
    assert await life.figures() == live


async def test_an_idle_hour_is_one_statement(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    await life.count()
    told: list[str] = []
    fetch = database.fetch

    async def counting(pool: Any, sql: str, arguments: Any) -> Any:
        told.append(sql)
        return await fetch(pool, sql, arguments)

    monkeypatch.setattr("goclaw.store.chores.fetch", counting)
    await Rollup(life.services.database).run_if_due()
    assert len(told) == 1


async def test_a_purged_user_keeps_no_name_and_the_sums_stay(life: Life) -> None:
    await some_runs(life)
    await life.count()
    before = await usage_totals(life.reads(), EVER, ALL)
    await purge_user(context(life.services, None, Scope.ADMIN), "bob", UserPurge())
    assert await usage_totals(life.reads(), EVER, ALL) == before
    names = "select count(*) from usage_hours where user_id = 'bob'"
    assert await life.pool.fetchval(names) == 0
    await life.pool.execute("update usage_counted set until = null")
    await life.count()
    assert await life.pool.fetchval(names) == 0
    assert (await usage_totals(life.reads(), EVER, ALL)).users == before.users


@pytest.mark.parametrize("counted", [False, True])
async def test_everybody_sees_their_own(life: Life, counted: bool) -> None:
    """Own runs, all runs of one's own agents, and with a bound key those of its agents alone."""
    services = life.services
    provider = (await services.database.pool.fetch("select id, name from providers"))[-1]
    other = await add_agent(services, provider, "other", "bob")
    hour = this_hour() - 3 * HOUR
    await life.run(hour, ("first", "m1", 1, "1"), user_id="ada")
    await life.run(hour, ("first", "m1", 2, "1"), user_id="eve")
    await life.run(hour, ("first", "m1", 4, "1"), user_id="ada", agent_id=other.id)
    if counted:
        await life.count()

    async def tokens(reads: Reads) -> int:
        shares = await usage_shares(reads, EVER, UsageGroup.AGENT, ALL)
        total = (await usage_totals(reads, EVER, ALL)).input_tokens
        assert sum(share.input_tokens for share in shares) == total
        return total

    assert await tokens(life.reads("ada")) == 7
    assert await tokens(life.reads("eve")) == 2
    assert await tokens(life.reads("bob")) == 4
    assert await tokens(life.reads("mallory")) == 0
    assert await tokens(life.reads()) == 7
    assert await tokens(life.reads("ada", agent_ids=frozenset({other.id}))) == 4
    assert await tokens(life.reads("bob", agent_ids=frozenset({life.agent_id}))) == 0


async def test_ranges_of_time_are_read_off_indexes(life: Life) -> None:
    """With a sequential scan forbidden none is left but that of tables without one to use."""
    statement = SERIES._own
    given: dict[str, object] = {
        "caller_user_id": "ada", "caller_agent_ids": None, "step": "hour", "agent_id": None,
        "provider": None, "model": None, "channel": None,
        **span_of(this_hour() - DAY, this_hour()),
    }  # fmt: skip
    async with life.pool.acquire() as connection:
        await connection.execute(
            "set enable_seqscan = off; set plan_cache_mode = force_generic_plan"
        )
        plan = await connection.fetch("explain " + statement.sql, *statement.arguments(given))
    text = "\n".join(str(line[0]) for line in plan)
    assert "runs_ended" in text
    assert "usage_hours_pkey" in text or "usage_hours_user" in text
    assert "spans_trace" in text
    assert "Seq Scan on runs" not in text
    assert "Seq Scan on spans" not in text
    assert "Seq Scan on usage_hours" not in text
