"""Cron jobs, and what became of them."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from goclaw.core.paging import PageRequest
from goclaw.models.agents import AgentView
from goclaw.models.cron import CronJobCreate, CronJobView, CronRun
from goclaw.resolvers.cron import (
    create_cron_job,
    get_cron_job,
    list_cron_runs,
)
from tests.support.callers import context
from tests.support.server import RunningServer

ASKED = "select content from messages where run_id = $1 and role = 'user'"
KINDS = "select kind from events where topic = 'cron_job' order by xid, id"
AGES_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def job(agent: AgentView, **more: Any) -> CronJobCreate:
    values = {"name": "Morning", "message": "What is new?", "kind": "every", "every_s": 3600}
    return CronJobCreate.model_validate({"agent_id": agent.id, **values, **more})


async def made(server: RunningServer, agent: AgentView, **more: Any) -> CronJobView:
    return await create_cron_job(context(server.services), job(agent, **more))


async def history(server: RunningServer, id: UUID | None = None) -> list[CronRun]:
    page = await list_cron_runs(context(server.services), PageRequest(limit=100), id)
    return list(page.rows)


async def until_noted(server: RunningServer, id: UUID, times: int = 1) -> list[CronRun]:
    """The history, once it has so many times that are over; newest first."""
    async with asyncio.timeout(30):
        while True:
            rows = await history(server, id)
            over = [row for row in rows if row.status != "started"]
            if len(over) >= times and len(over) == len(rows):
                return rows
            await asyncio.sleep(0.05)


async def again(server: RunningServer, id: UUID) -> CronJobView:
    return await get_cron_job(context(server.services), id)
