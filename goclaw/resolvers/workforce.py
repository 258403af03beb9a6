"""What tools do to have others work: in the name of the user of their run, within its limits."""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from goclaw.core.callers import system_caller
from goclaw.core.errors import Conflict, Forbidden, GatewayError, NotFound
from goclaw.core.ids import uuid7
from goclaw.models.delegations import (
    MAX_DEPTH,
    AgentLink,
    Delegation,
    DelegationKind,
    DelegationMode,
    DelegationStatus,
)
from goclaw.resolvers.carrying import acting
from goclaw.resolvers.context import Context, found
from goclaw.resolvers.delegation_ends import fail, settle_ended, tell
from goclaw.resolvers.errands import CHANNELS, equip, subagents_of
from goclaw.resolvers.refs import agent_named
from goclaw.resolvers.runs import cancel_run, spoken_turn
from goclaw.resolvers.services import Services
from goclaw.resolvers.turns import chat_target
from goclaw.runtime.job_runs import Lane
from goclaw.runtime.live import LiveRun, Turn
from goclaw.store.agent_links import links_from
from goclaw.store.database import Db
from goclaw.store.delegations import (
    add_delegation,
    link_at_work,
    one_at_a_time,
    own_delegations,
    tasks_at_work,
)
from goclaw.store.targets import Target
from goclaw.tools.delegation import Json, Order, Task
from goclaw.tools.tool import ToolContext

LANES: Final = {DelegationKind.SPAWN: Lane.SUBAGENT, DelegationKind.DELEGATE: Lane.DELEGATE}
MOST: Final = 20
PREVIEW_CHARS: Final = 500
LABEL_CHARS: Final = 80


@dataclass
class OwnWorkforce:
    """`services` are given once they are all there, as tools are among them."""

    services: Services | None = None

    def _services(self) -> Services:
        assert self.services is not None
        return self.services

    async def give(self, ctx: ToolContext, order: Order) -> Task:
        """Raises NotFound for an agent that is not there for the user, Forbidden without a link,
        Conflict at a limit of depth or number.
        """
        services = self._services()
        parent = services.runner.live.get(ctx.run_id)
        if parent is None:
            raise Conflict("run_ended")
        user = await acting(services, ctx.user_id, parent.turn.key_id, ctx.run_id)
        task, turn = await self._begin(user, parent, order)
        try:
            if task.mode == DelegationMode.SYNC:
                return await self._wait(parent, task, turn)
            await services.job_runs.queue(task.run_id, turn, LANES[task.kind], 0, None)
        except GatewayError as error:
            await fail(services, task.id, error)
            raise
        services.hub.wake()
        return _task(task, turn.agent.key)

    async def _begin(self, user: Context, parent: LiveRun, order: Order) -> tuple[Delegation, Turn]:
        """Commits that there is such a task, and makes what its run is asked."""
        source = parent.turn.agent
        target, link = source.id, None
        if order.agent is not None:
            target, link = await _linked(user, source.id, order.agent)
        agent = await chat_target(user, target, or_default=False)
        task = _new_task(user, parent, agent, order)
        _check_depth(source, task)
        if task.mode == DelegationMode.ASYNC and not agent.store_contents:
            raise Conflict("errand_stores_nothing", key=agent.key)
        key = f"agent:{agent.key}:{CHANNELS[task.kind]}:{task.id}"
        turn = await spoken_turn(
            user, agent.id, None, order.task, channel=CHANNELS[task.kind], session_key=key
        )
        equip(turn, task)
        async with user.db() as db:
            await one_at_a_time(db, source.id)
            await _check_number(db, source, task, link)
            await add_delegation(db, task)
            tell(db, task, "delegation.started")
        parent.gave_tasks = True
        return task, turn

    async def _wait(self, parent: LiveRun, task: Delegation, turn: Turn) -> Task:
        """Those that are waited for within a task that is waited for take no place in a lane, as
        the one that waits has one already, and would keep it for ever.
        """
        services = self._services()
        nested = parent.turn.errand is not None
        async with nullcontext() if nested else services.lanes.place(LANES[task.kind]):
            run = await services.runner.begin(turn)
            services.runner.detach(run)
            try:
                await run.ended()
            except asyncio.CancelledError:
                run.cancel()
                raise
        await settle_ended(services, task.id)
        ended = await self._row(task.id)
        return _task(ended, turn.agent.key)

    async def _row(self, id: UUID) -> Delegation:
        async with self._services().database.begin(system_caller()) as db:
            row = await db.get(Delegation, id)
        return found(row, "delegation", id)

    async def _own(self, ctx: ToolContext) -> Sequence[Delegation]:
        async with self._services().database.begin(system_caller()) as db:
            return await own_delegations(db, ctx.agent_id, ctx.user_id, MOST)

    async def tasks(self, ctx: ToolContext) -> Sequence[Task]:
        rows = await self._own(ctx)
        user = await self._user(ctx)
        agents = await asyncio.gather(*(user.agents.load(row.target_agent_id) for row in rows))
        return [
            _task(row, "" if agent is None else agent.key, PREVIEW_CHARS)
            for row, agent in zip(rows, agents, strict=True)
        ]

    async def _user(self, ctx: ToolContext) -> Context:
        services = self._services()
        live = services.runner.live.get(ctx.run_id)
        key_id = None if live is None else live.turn.key_id
        return await acting(services, ctx.user_id, key_id, ctx.run_id)

    async def cancel(self, ctx: ToolContext, id: UUID | None) -> int:
        """Raises NotFound for one that is not the agent's and user's own."""
        rows = await self._own(ctx)
        if id is not None and all(row.id != id for row in rows):
            raise NotFound("delegation_not_found", id=id)
        user = await self._user(ctx)
        stopped = 0
        for row in rows:
            if row.status == DelegationStatus.RUNNING and id in (None, row.id):
                await cancel_run(user.afresh(), row.run_id)
                await settle_ended(self._services(), row.id)
                stopped += 1
        return stopped

    async def again(self, ctx: ToolContext, id: UUID, task: str) -> Task:
        await self.cancel(ctx, id)
        before = await self._row(id)
        waits = before.mode == DelegationMode.SYNC
        return await self.give(ctx, Order(task, waits, before.label, before.model))

    async def colleagues(self, ctx: ToolContext) -> Sequence[Json]:
        user = await self._user(ctx)
        told: list[Json] = []
        for link, id in await _open_links(user, ctx.agent_id):
            agent = await user.agents.load(id)
            if agent is not None:
                about = link.description or agent.description
                told.append({"agent": agent.key, "name": agent.display_name, "about": about})
        return told


async def _open_links(user: Context, agent_id: UUID) -> Sequence[tuple[AgentLink, UUID]]:
    """Links are looked for by the server, as a user need not see their other end."""
    async with user.services.database.begin(system_caller()) as db:
        links = await links_from(db, agent_id)
    return [(link, id) for link, id in links if link.serves(user.user_id)]


async def _linked(user: Context, source: UUID, key: str) -> tuple[UUID, AgentLink]:
    agent = await agent_named(user, key)
    for link, id in await _open_links(user, source):
        if id == agent.id:
            return id, link
    raise Forbidden("agents_not_linked", key=agent.key)


def _new_task(user: Context, parent: LiveRun, agent: Target, order: Order) -> Delegation:
    errand = parent.turn.errand
    id = uuid7()
    path = (parent.turn.agent.id,) if errand is None else errand.path
    # A task within a task is waited for: nobody would be there to be told later.
    waits = order.waits or errand is not None
    return Delegation(
        id=id,
        kind=DelegationKind.SPAWN if order.agent is None else DelegationKind.DELEGATE,
        mode=DelegationMode.SYNC if waits else DelegationMode.ASYNC,
        status=DelegationStatus.RUNNING,
        source_agent_id=parent.turn.agent.id,
        target_agent_id=agent.id,
        user_id=user.user_id,
        parent_id=None if errand is None else errand.id,
        parent_run_id=parent.id,
        root_run_id=parent.id if errand is None else errand.root_run_id,
        parent_session_id=parent.session_id,
        parent_trace_id=parent.trace_id,
        path=[str(step) for step in (*path, agent.id)],
        run_id=uuid7(),
        label=order.label or _label(order.task if agent.store_contents else "", id),
        task=order.task if agent.store_contents else "",
        model=order.model,
    )


def _label(task: str, id: UUID) -> str:
    """Its first words, where they may be kept."""
    return " ".join(task.split())[:LABEL_CHARS] or f"task {id.hex[-8:]}"


def _check_depth(source: Target, task: Delegation) -> None:
    if task.kind == DelegationKind.SPAWN:
        limit = subagents_of(source.subagents_config).max_spawn_depth
        if task.spawn_depth > limit:
            raise Conflict("errand_too_deep", limit=limit)
    elif task.path[-1] in task.path[:-1]:
        raise Conflict("delegation_circle")
    if task.depth > MAX_DEPTH:
        raise Conflict("errand_too_deep", limit=MAX_DEPTH)


async def _check_number(db: Db, source: Target, task: Delegation, link: AgentLink | None) -> None:
    if link is not None:
        if await link_at_work(db, link) >= link.max_concurrent:
            raise Conflict("link_busy", limit=link.max_concurrent)
        return
    limit = subagents_of(source.subagents_config).max_children_per_agent
    if await tasks_at_work(db, source.id, task.user_id) >= limit:
        raise Conflict("subagents_busy", limit=limit)


def _task(row: Delegation, agent: str, most: int | None = None) -> Task:
    text: Any = row.result if row.status == DelegationStatus.COMPLETED else row.error
    return Task(row.id, row.label, agent, row.status, text if text is None else text[:most])
