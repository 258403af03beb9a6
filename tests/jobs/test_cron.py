"""Cron jobs: each time they are due is one run, on whichever server, and its history says what
came of it.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from goclaw.core.callers import Scope
from goclaw.core.errors import Conflict
from goclaw.core.schedules import ScheduleKind
from goclaw.models.agents import AgentPatch, AgentStatus, AgentView
from goclaw.models.cron import CronJob, CronJobPatch
from goclaw.models.run_stops import StopRuns
from goclaw.resolvers.agents import update_agent
from goclaw.resolvers.cron import (
    run_cron_job,
    update_cron_job,
)
from goclaw.resolvers.cron_due import time_to_run
from goclaw.resolvers.run_stops import resume_runs, stop_all_runs
from goclaw.resolvers.runs import cancel_run
from tests.jobs.conftest import Due, Serve, Sql, until_asked, until_status
from tests.jobs.cron_jobs import ASKED, KINDS, again, history, made, until_noted
from tests.support.callers import add_agent, add_provider, context
from tests.support.server import RunningServer
from tests.upstream import ScriptedUpstream


async def test_a_job_that_is_due_runs_and_says_so(
    server: RunningServer, agent: AgentView, upstream: ScriptedUpstream, sql: Sql, due: Due
) -> None:
    before = datetime.now(UTC)
    daily = await made(server, agent)
    assert daily.next_run_at is not None
    assert timedelta(0) <= daily.next_run_at - before - timedelta(hours=1) < timedelta(minutes=1)
    await due(daily.id)
    [noted] = await until_noted(server, daily.id)
    assert (noted.status, noted.trigger, noted.asked_by) == ("completed", "due", "ada")
    assert noted.error_code is None
    assert noted.run_id is not None
    run = await until_status(server, noted.run_id, "completed")
    assert (run.user_id, run.agent_id, run.channel) == ("ada", agent.id, "cron")
    assert (await sql(ASKED, run.id))[0][0] == "What is new?"
    lane = await sql("select lane from runs where id = $1", run.id)
    assert lane[0][0] == "cron"
    key = await sql("select key from sessions where id = $1", run.session_id)
    assert key[0][0] == f"agent:scribe:cron:{daily.id}"
    later = await again(server, daily.id)
    assert later.next_run_at == daily.next_run_at
    assert later.run_id is None
    assert later.last_run_at is not None
    assert [row["kind"] for row in await sql(KINDS)] == [
        "cron_job.created",
        "cron_job.started",
        "cron_job.ended",
    ]


async def test_of_several_servers_one_begins_each_time(
    server: RunningServer, serve: Serve, agent: AgentView, upstream: ScriptedUpstream, sql: Sql
) -> None:
    jobs = [await made(server, agent, name=f"job {number}") for number in range(12)]
    async with serve(), serve():
        await sql("update cron_jobs set next_run_at = now()")
        for each in jobs:
            assert len(await until_noted(server, each.id)) == 1
        await sql("update cron_jobs set next_run_at = now()")
        for each in jobs:
            assert len(await until_noted(server, each.id, 2)) == 2
    assert len(upstream.requests) == 24
    counted = await sql("select count(distinct run_id), count(*) from cron_runs")
    assert tuple(counted[0]) == (24, 24)


async def test_a_time_between_two_servers_is_made_up_for_once(
    serve: Serve, upstream: ScriptedUpstream, sql: Sql, due: Due
) -> None:
    """Of the times of three hours the last one counts: no burst."""
    async with serve(carry_jobs=False) as before:
        agent = await add_agent(before.services, await add_provider(before.services, upstream))
        hourly = await made(before, agent, every_s=600, grace_s=3600)
        await sql("update cron_jobs set anchor = now() - interval '3 hours'")
        await due(hourly.id, 3 * 3600 - 600)
    async with serve() as after:
        [noted] = await until_noted(after, hourly.id)
        assert noted.status == "completed"
        assert noted.started_at - noted.due_at <= timedelta(hours=1, seconds=5)
        await asyncio.sleep(1.5)
        assert len(await history(after, hourly.id)) == 1
        job_now = await again(after, hourly.id)
        assert job_now.next_run_at is not None
        assert job_now.next_run_at > datetime.now(UTC)
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(("late_s", "status"), [(50, "completed"), (4000, "skipped")])
async def test_what_was_missed_is_made_up_for_within_its_grace(
    serve: Serve, upstream: ScriptedUpstream, due: Due, late_s: int, status: str
) -> None:
    async with serve(carry_jobs=False) as before:
        agent = await add_agent(before.services, await add_provider(before.services, upstream))
        soon = datetime.now(UTC) + timedelta(minutes=5)
        once = await made(before, agent, kind="at", every_s=None, run_at=soon)
        assert once.next_run_at == once.run_at
        await due(once.id, late_s)
    async with serve() as after:
        [noted] = await until_noted(after, once.id)
        assert noted.status == status
        assert noted.error_code == (None if status == "completed" else "cron_missed")
        ended = await again(after, once.id)
        assert (ended.next_run_at, ended.failures, ended.enabled) == (None, 0, True)
    assert len(upstream.requests) == (status == "completed")


def test_of_times_that_went_by_the_first_within_the_grace_counts() -> None:
    at = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    hourly = CronJob(
        agent_id=UUID(int=1),
        user_id="ada",
        name="n",
        message="m",
        kind=ScheduleKind.CRON,
        expression="0 * * * *",
        grace_s=5400,
        next_run_at=at - timedelta(hours=5, minutes=30),
    )
    assert time_to_run(hourly, at) == datetime(2026, 3, 1, 12, tzinfo=UTC)
    hourly.grace_s = 600
    assert time_to_run(hourly, at) is None
    hourly.next_run_at = at - timedelta(seconds=600)
    assert time_to_run(hourly, at) == hourly.next_run_at


@pytest.mark.parametrize(
    ("at", "expression", "due_at"),
    [
        # the hour from 2 to 3 is not there on March 29, and twice there on October 25
        ("2026-03-28T12:00+00:00", "30 2 * * *", "2026-03-29T01:00+00:00"),
        ("2026-03-29T01:00+00:00", "30 2 * * *", "2026-03-30T00:30+00:00"),
        ("2026-10-24T12:00+00:00", "30 2 * * *", "2026-10-25T00:30+00:00"),
        ("2026-10-25T00:30+00:00", "30 2 * * *", "2026-10-26T01:30+00:00"),
        ("2026-10-25T00:30+00:00", "30 * * * *", "2026-10-25T01:30+00:00"),
    ],
)
def test_a_job_of_a_time_zone_goes_by_its_clock(at: str, expression: str, due_at: str) -> None:
    nightly = CronJob(
        agent_id=UUID(int=1),
        user_id="ada",
        name="n",
        message="m",
        kind=ScheduleKind.CRON,
        expression=expression,
        timezone="Europe/Berlin",
    )
    assert nightly.next_after(datetime.fromisoformat(at)) == datetime.fromisoformat(due_at)


async def test_while_its_run_goes_on_a_time_is_skipped(
    server: RunningServer, agent: AgentView, upstream: ScriptedUpstream, due: Due
) -> None:
    upstream.silence()
    slow = await made(server, agent)
    await due(slow.id)
    await until_asked(upstream)
    await due(slow.id)
    async with asyncio.timeout(20):
        while len(rows := await history(server, slow.id)) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert [(row.status, row.error_code) for row in rows] == [
        ("skipped", "cron_still_running"),
        ("started", None),
    ]
    assert rows[1].run_id is not None
    await cancel_run(context(server.services), rows[1].run_id)
    rows = await until_noted(server, slow.id, 2)
    assert rows[1].status == "cancelled"
    assert (await again(server, slow.id)).failures == 0
    assert len(upstream.requests) == 1


async def test_a_time_that_comes_once_waits_for_the_run_that_goes_on(
    server: RunningServer, agent: AgentView, upstream: ScriptedUpstream, due: Due
) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=5)
    once = await made(server, agent, kind="at", every_s=None, run_at=soon)
    upstream.reply("Slow.", first_after=2)
    await run_cron_job(context(server.services), once.id)
    await until_asked(upstream)
    await due(once.id)
    await until_asked(upstream, 2)
    rows = await until_noted(server, once.id, 2)
    assert [(row.status, row.trigger) for row in rows] == [
        ("completed", "due"),
        ("completed", "manual"),
    ]


async def test_asked_for_by_two_at_once_it_runs_once(
    server: RunningServer, serve: Serve, agent: AgentView, upstream: ScriptedUpstream
) -> None:
    weekly = await made(server, agent)
    upstream.reply("Slow.", first_after=1)
    async with serve() as other:
        asked = [
            run_cron_job(context(services), weekly.id)
            for services in (server.services, other.services) * 3
        ]
        results = await asyncio.gather(*asked, return_exceptions=True)
        runs = [run for run in results if not isinstance(run, BaseException)]
        refused = [error for error in results if isinstance(error, Conflict)]
        assert len(runs) == 1
        assert {error.code for error in refused} == {"cron_job_busy"}
        assert len(refused) == 5
        [noted] = await until_noted(server, weekly.id)
        assert (noted.run_id, noted.trigger, noted.asked_by) == (runs[0].id, "manual", "ada")
    assert len(upstream.requests) == 1
    assert (await again(server, weekly.id)).next_run_at == weekly.next_run_at


async def test_a_paused_job_is_not_due(
    server: RunningServer, agent: AgentView, upstream: ScriptedUpstream
) -> None:
    ada = context(server.services)
    daily = await made(server, agent)
    paused = await update_cron_job(ada, daily.id, CronJobPatch(enabled=False))
    assert (paused.enabled, paused.next_run_at) == (False, None)
    on_request = await run_cron_job(context(server.services), daily.id)
    assert (await until_status(server, on_request.id, "completed")).status == "completed"
    resumed = await update_cron_job(context(server.services), daily.id, CronJobPatch(enabled=True))
    assert resumed.next_run_at == daily.next_run_at


async def test_jobs_speak_in_the_session_they_are_told_to(
    server: RunningServer, agent: AgentView, sql: Sql, due: Due
) -> None:
    jobs = [
        await made(server, agent, name="own"),
        await made(server, agent, name="named", session_key="talk"),
        await made(server, agent, name="isolated", isolated=True),
    ]
    for times in (1, 2):
        await sql("update cron_jobs set next_run_at = now()")
        for each in jobs:
            await until_noted(server, each.id, times)
    counts = await sql("select key, message_count from sessions order by key")
    own, isolated, named = jobs[0].id, jobs[2].id, "talk"
    kept = {row["key"]: row["message_count"] for row in counts}
    assert kept[f"agent:scribe:cron:{own}"] == kept[named] == 4
    once = [key for key in kept if key.startswith(f"agent:scribe:cron:{isolated}:")]
    assert [kept[key] for key in once] == [2, 2]


async def test_after_five_failures_in_a_row_it_is_paused(
    server: RunningServer, agent: AgentView, upstream: ScriptedUpstream, sql: Sql, due: Due
) -> None:
    wrong = await made(server, agent)
    await update_agent(context(server.services), agent.id, AgentPatch(status=AgentStatus.INACTIVE))
    for times in range(1, 6):
        await due(wrong.id)
        rows = await until_noted(server, wrong.id, times)
        assert (rows[0].status, rows[0].error_code) == ("error", "agent_inactive")
    paused = await again(server, wrong.id)
    assert (paused.enabled, paused.next_run_at, paused.failures) == (False, None, 5)
    assert paused.pause_reason == "agent scribe is inactive, not active"
    assert (await sql(KINDS))[-1]["kind"] == "cron_job.paused"
    assert upstream.requests == []
    await update_agent(context(server.services), agent.id, AgentPatch(status=AgentStatus.ACTIVE))
    resumed = await update_cron_job(context(server.services), wrong.id, CronJobPatch(enabled=True))
    assert (resumed.failures, resumed.pause_reason) == (0, None)
    await due(wrong.id)
    assert (await until_noted(server, wrong.id, 6))[0].status == "completed"


async def test_failures_with_a_good_run_between_do_not_add_up(
    server: RunningServer, agent: AgentView, upstream: ScriptedUpstream, due: Due
) -> None:
    flaky = await made(server, agent)
    for times, failure in enumerate([400, 400, None, 400], start=1):
        if failure:
            upstream.fail(failure)
        await due(flaky.id)
        noted = (await until_noted(server, flaky.id, times))[0]
        assert noted.status == ("error" if failure else "completed")
        assert bool(noted.error_message) == bool(failure)
    assert (await again(server, flaky.id)).failures == 1


async def test_while_all_runs_are_stopped_times_are_skipped(
    server: RunningServer, agent: AgentView, due: Due
) -> None:
    daily = await made(server, agent)
    boss = context(server.services, None, Scope.ADMIN)
    stop = await stop_all_runs(boss, StopRuns(reason="Maintenance."))
    await due(daily.id)
    [noted] = await until_noted(server, daily.id)
    assert (noted.status, noted.error_code) == ("skipped", "runs_stopped_because")
    await resume_runs(context(server.services, None, Scope.ADMIN), stop.id)
    assert (await again(server, daily.id)).failures == 0


async def test_a_job_that_is_to_run_once_goes_when_it_ran_well(
    server: RunningServer, agent: AgentView, upstream: ScriptedUpstream, sql: Sql, due: Due
) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=5)
    once = {"kind": "at", "every_s": None, "run_at": soon, "delete_after_run": True}
    upstream.fail(400)
    fails = await made(server, agent, **once)
    await due(fails.id)
    assert (await until_noted(server, fails.id))[0].status == "error"
    runs = await made(server, agent, **once)
    await due(runs.id)
    async with asyncio.timeout(20):
        while len(await sql("select 1 from cron_jobs")) == 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert (await again(server, fails.id)).failures == 1
    assert (await sql(KINDS))[-1]["kind"] == "cron_job.deleted"
