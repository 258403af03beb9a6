"""Who may have which cron jobs, and how many."""

import asyncio

import pytest

from goclaw.core.callers import Scope
from goclaw.core.errors import Conflict, InvalidInput, NotFound
from goclaw.core.paging import PageRequest
from goclaw.core.schedules import ScheduleKind
from goclaw.models.agents import AgentPatch, AgentView, ShareCreate
from goclaw.models.api_keys import ApiKeyCreate
from goclaw.models.cron import CronJobPatch
from goclaw.models.purges import UserPurge
from goclaw.resolvers.agents import delete_agent, share_agent, unshare_agent, update_agent
from goclaw.resolvers.api_keys import create_api_key, revoke_api_key
from goclaw.resolvers.cron import (
    create_cron_job,
    delete_cron_job,
    get_cron_job,
    list_cron_jobs,
    list_cron_runs,
    run_cron_job,
    update_cron_job,
)
from goclaw.resolvers.purges import purge_user
from goclaw.store.cron_due import KEPT, trim_cron_runs
from tests.jobs.conftest import Due, Serve, Sql, until_status
from tests.jobs.cron_jobs import AGES_AGO, history, job, made, until_noted
from tests.support.callers import add_agent, add_provider, context
from tests.support.server import RunningServer
from tests.upstream import ScriptedUpstream


async def test_weakness_19_what_the_user_may_do_no_more_its_jobs_do_not_either(
    server: RunningServer, agent: AgentView, upstream: ScriptedUpstream, due: Due
) -> None:
    """The agent is shared no more; the key that made the job is revoked."""
    ada = context(server.services)
    await share_agent(ada, agent.id, ShareCreate(user_id="eve"))
    eve = context(server.services, "eve")
    hers = await create_cron_job(eve, job(agent))
    await unshare_agent(context(server.services), agent.id, "eve")
    admin = context(server.services, None, Scope.ADMIN)
    key = await create_api_key(admin, ApiKeyCreate(name="k", scopes=[Scope.WRITE]))
    keyed = await create_cron_job(context(server.services, key_id=key.id), job(agent))
    await revoke_api_key(context(server.services, None, Scope.ADMIN), key.id)
    await due(hers.id)
    await due(keyed.id)
    [noted] = await until_noted(server, keyed.id)
    assert (noted.status, noted.error_code) == ("error", "api_key_revoked")
    async with asyncio.timeout(20):
        while not (  # noqa: ASYNC110
            rows := (
                await list_cron_runs(context(server.services, "eve"), PageRequest(limit=9), hers.id)
            ).rows
        ):
            await asyncio.sleep(0.05)
    assert (rows[0].status, rows[0].error_code) == ("error", "agent_not_found")
    assert upstream.requests == []


async def test_wrong_schedules_are_refused(server: RunningServer, agent: AgentView) -> None:
    ada = context(server.services)
    for field, code, more in (
        ("run_at", "required", {"kind": "at"}),
        ("expression", "required", {"kind": "cron"}),
        ("run_at", "cron_run_at_past", {"kind": "at", "run_at": AGES_AGO}),
        ("isolated", "cron_isolated_session", {"isolated": True, "session_key": "talk"}),
        ("delivery_url", "url_invalid", {"delivery_url": "ftp://example.com"}),
        ("delivery_url", "host_refused", {"delivery_url": "http://10.0.0.1/hook"}),
    ):
        with pytest.raises(InvalidInput) as refused:
            await create_cron_job(ada, job(agent, **more))
        assert (refused.value.code, refused.value.field) == (code, field)
    daily = await made(server, agent)
    with pytest.raises(InvalidInput) as missing:
        await update_cron_job(ada, daily.id, CronJobPatch(kind=ScheduleKind.CRON))
    assert (missing.value.code, missing.value.field) == ("required", "expression")
    changed = await update_cron_job(
        context(server.services),
        daily.id,
        CronJobPatch(kind=ScheduleKind.CRON, expression="0 9 * * 1-5"),
    )
    assert (changed.every_s, changed.expression) == (None, "0 9 * * 1-5")
    assert len((await list_cron_jobs(context(server.services), PageRequest(limit=9))).rows) == 1


async def test_a_user_has_so_many_and_no_more(serve: Serve, upstream: ScriptedUpstream) -> None:
    async with serve(cron_jobs_per_user=3) as server:
        agent = await add_agent(server.services, await add_provider(server.services, upstream))
        adding = [create_cron_job(context(server.services), job(agent)) for _ in range(6)]
        results = await asyncio.gather(*adding, return_exceptions=True)
        refused = [error for error in results if isinstance(error, Conflict)]
        assert [(error.code, error.params["limit"]) for error in refused] == [
            ("cron_jobs_full", 3)
        ] * 3
        assert not [e for e in results if isinstance(e, BaseException) and e not in refused]


async def test_an_agent_that_stores_nothing_has_no_jobs(
    server: RunningServer, agent: AgentView, upstream: ScriptedUpstream, due: Due
) -> None:
    daily = await made(server, agent)
    await update_agent(context(server.services), agent.id, AgentPatch(store_contents=False))
    with pytest.raises(Conflict) as refused:
        await made(server, agent)
    assert refused.value.code == "cron_stores_nothing"
    await due(daily.id)
    assert (await until_noted(server, daily.id))[0].error_code == "cron_stores_nothing"
    assert upstream.requests == []


async def test_another_user_sees_and_changes_nothing(
    server: RunningServer, agent: AgentView, upstream: ScriptedUpstream
) -> None:
    await share_agent(context(server.services), agent.id, ShareCreate(user_id="eve"))
    daily = await made(server, agent)
    run = await run_cron_job(context(server.services), daily.id)
    await until_status(server, run.id, "completed")
    await until_noted(server, daily.id)
    eve = context(server.services, "eve")
    assert list((await list_cron_jobs(eve, PageRequest(limit=9))).rows) == []
    assert list((await list_cron_runs(eve, PageRequest(limit=9), daily.id)).rows) == []
    for attempt in (
        get_cron_job(eve, daily.id),
        update_cron_job(eve, daily.id, CronJobPatch(name="mine")),
        delete_cron_job(eve, daily.id),
        run_cron_job(eve, daily.id),
    ):
        with pytest.raises(NotFound) as hidden:
            await attempt
        assert hidden.value.code == "cron_job_not_found"
    assert len(await history(server, daily.id)) == 1


async def test_jobs_go_with_their_agent_and_with_their_user(
    server: RunningServer, agent: AgentView, upstream: ScriptedUpstream, sql: Sql, due: Due
) -> None:
    await share_agent(context(server.services), agent.id, ShareCreate(user_id="eve"))
    await share_agent(context(server.services), agent.id, ShareCreate(user_id="mia"))
    mine = await made(server, agent)
    await create_cron_job(context(server.services, "eve"), job(agent))
    await create_cron_job(context(server.services, "mia"), job(agent))
    await due(mine.id)
    await until_noted(server, mine.id)
    boss = context(server.services, None, Scope.ADMIN)
    report = await purge_user(boss, "eve", UserPurge())
    assert {t.table: t.deleted for t in report.tables}["cron_jobs"] == 1
    assert {row["user_id"] for row in await sql("select user_id from cron_jobs")} == {"ada", "mia"}
    await delete_agent(context(server.services), agent.id)
    assert await sql("select 1 from cron_jobs") == []
    assert await sql("select 1 from cron_runs") == []
    gone = await sql("select user_id from events where kind = 'cron_job.deleted' order by user_id")
    assert [row["user_id"] for row in gone] == ["ada", "mia"]


async def test_a_history_holds_so_many_times(
    server: RunningServer, agent: AgentView, sql: Sql
) -> None:
    daily = await made(server, agent)
    await sql(
        """insert into cron_runs (id, job_id, trigger, asked_by, due_at, started_at, status,
            delivery_attempts)
        select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, $1, 'due', 'ada',
            now(), now(), 'skipped', 0 from generate_series(1, $2::int) as n""",
        daily.id,
        KEPT + 20,
    )
    await trim_cron_runs(server.services.database)
    kept = await sql("select count(*) as kept, min(id::text) as oldest from cron_runs")
    assert (kept[0]["kept"], kept[0]["oldest"][-2:]) == (KEPT, "21")
