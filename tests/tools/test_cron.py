"""Cron jobs as a tool: the user's own with the agent, made by runs that somebody asked for."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from goclaw.core.callers import Scope
from goclaw.core.paging import PageRequest
from goclaw.core.schedules import ScheduleKind
from goclaw.models.agents import AgentView, ShareCreate
from goclaw.models.api_keys import ApiKeyCreate
from goclaw.models.chat import SendMessage
from goclaw.models.cron import CronJobCreate
from goclaw.resolvers.agents import share_agent
from goclaw.resolvers.api_keys import create_api_key
from goclaw.resolvers.context import Context
from goclaw.resolvers.cron import create_cron_job, get_cron_job, list_cron_jobs
from goclaw.resolvers.own_calendar import OwnCalendar
from goclaw.resolvers.runs import send_message
from goclaw.resolvers.services import Services
from goclaw.store.database import fetch
from goclaw.tools.cron import CRON, CronTool
from goclaw.tools.sessions import SENT_BY_TOOL
from tests.support.callers import add_agent, add_provider, context
from tests.tools.conftest import Caller, tool_context
from tests.upstream import ScriptedUpstream

DAILY = {"name": "Daily", "message": "What is new?", "every_s": 86_400}


@pytest.fixture
async def agents(services: Services, upstream: ScriptedUpstream) -> list[AgentView]:
    provider = await add_provider(services, upstream)
    return [await add_agent(services, provider, key) for key in ("scribe", "other")]


async def asked(ctx: Context, agent: AgentView, **more: Any) -> Caller:
    """Within a run of that caller."""
    run = await send_message(ctx, SendMessage(agent_id=agent.id, text="Remind me."))
    live = ctx.services.runner.live.get(run.id)
    if live is not None:
        await live.ended()
    context = tool_context(ctx.user_id, agent_id=agent.id, run_id=run.id, **more)
    return Caller([CronTool(OwnCalendar(ctx.services)).tool()], context)


async def told(call: Caller, action: str, /, **arguments: Any) -> Any:
    return orjson.loads(await call.said("cron", action=action, **arguments))


async def test_a_job_from_its_beginning_to_its_end(
    services: Services, agents: list[AgentView]
) -> None:
    call = await asked(context(services), agents[0], session_key="talk")
    added = await told(call, "add", **DAILY)
    job = await get_cron_job(context(services), UUID(added["id"]))
    assert (job.user_id, job.agent_id, job.session_key) == ("ada", agents[0].id, "talk")
    assert [row["name"] for row in (await told(call, "list"))["jobs"]] == ["Daily"]
    changed = await told(
        call, "update", job_id=added["id"], cron="0 9 * * 1", timezone="Europe/Berlin", where="new"
    )
    assert (changed["kind"], changed["cron"], changed["isolated"]) == ("cron", "0 9 * * 1", True)
    run = await told(call, "run", job_id=added["id"])
    runs = (await told(call, "runs", job_id=added["id"]))["runs"]
    assert [row["run_id"] for row in runs] == [run["run_id"]]
    paused = await told(call, "update", job_id=added["id"], enabled=False)
    assert "next_run_at" not in paused
    assert await told(call, "remove", job_id=added["id"]) == {"removed": added["id"]}
    assert (await told(call, "list"))["jobs"] == []


async def test_a_reminder_goes_when_it_was_given(
    services: Services, agents: list[AgentView]
) -> None:
    call = await asked(context(services), agents[0])
    soon = (datetime.now(UTC) + timedelta(minutes=20)).isoformat()
    added = await told(call, "add", name="Tea", message="Tell me to drink it.", at=soon)
    assert (added["kind"], added["delete_after_run"]) == ("at", True)
    assert datetime.fromisoformat(added["next_run_at"]) == datetime.fromisoformat(soon)


async def test_weakness_44_it_reaches_no_more_than_its_user_with_its_agent(
    services: Services, agents: list[AgentView]
) -> None:
    scribe, other = agents
    await share_agent(context(services), scribe.id, ShareCreate(user_id="bob"))
    elsewhere = CronJobCreate(
        name="n", agent_id=other.id, message="m", kind=ScheduleKind.EVERY, every_s=86_400
    )
    hidden = [
        await create_cron_job(context(services), elsewhere),
        await create_cron_job(
            context(services, "bob"), elsewhere.model_copy(update={"agent_id": scribe.id})
        ),
    ]
    call = await asked(context(services), scribe)
    assert (await told(call, "list"))["jobs"] == []
    for job in hidden:
        for action in ("update", "remove", "run", "runs"):
            text = await call.refused("cron", action=action, job_id=str(job.id), enabled=False)
            assert f"no cron job {job.id}" in text
    assert len((await list_cron_jobs(context(services), PageRequest(limit=9))).rows) == 1


async def test_a_job_ends_with_the_key_of_the_run_that_made_it(
    services: Services, agents: list[AgentView]
) -> None:
    admin = context(services, None, Scope.ADMIN)
    key = await create_api_key(admin, ApiKeyCreate(name="k", scopes=[Scope.WRITE]))
    call = await asked(context(services, key_id=key.id), agents[0])
    await told(call, "add", **DAILY)
    rows = await fetch(services.database.pool, "select key_id from cron_jobs", ())
    assert str(rows[0].key_id) == str(key.id)


@pytest.mark.parametrize("channel", [CRON, SENT_BY_TOOL])
async def test_a_run_that_nobody_began_makes_and_runs_none(
    services: Services, agents: list[AgentView], channel: str
) -> None:
    added = await told(await asked(context(services), agents[0]), "add", **DAILY)
    call = await asked(context(services), agents[0], channel=channel)
    assert "Nobody asked" in await call.refused("cron", action="add", **DAILY)
    assert "Nobody asked" in await call.refused("cron", action="run", job_id=added["id"])
    assert len((await told(call, "list"))["jobs"]) == 1
    await told(call, "update", job_id=added["id"], enabled=False)


async def test_wrong_arguments_are_told_in_the_words_of_the_tool(
    services: Services, agents: list[AgentView]
) -> None:
    call = await asked(context(services), agents[0])
    for more, said in (
        ({}, "one of at, every_s and cron"),
        ({"every_s": 60, "cron": "0 9 * * *"}, "one of at, every_s and cron"),
        ({"every_s": 5}, "every_s"),
        ({"cron": "0 9 *"}, "cron: must have 5 fields"),
        ({"at": "2020-01-01T00:00:00Z"}, "must be in the future"),
        ({"at": "2050-01-01T00:00:00"}, "at: must be an instant"),
    ):
        text = await call.refused("cron", action="add", name="n", message="m", **more)
        assert said in text
    assert "job_id" in await call.refused("cron", action="remove")
    assert "name is required" in await call.refused("cron", action="add", every_s=60)
