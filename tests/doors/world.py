"""A gateway with somebody's rows in it, and callers of every kind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg
from pydantic import SecretStr

from goclaw.core.callers import Scope
from goclaw.core.ids import uuid7
from goclaw.core.paging import PageRequest
from goclaw.core.schedules import ScheduleKind
from goclaw.models.agents import AgentCreate, AgentView, ShareCreate
from goclaw.models.api_keys import ApiKeyCreate
from goclaw.models.chat import ChatRequest, SendMessage
from goclaw.models.chores import Chore
from goclaw.models.context_files import AgentContextFile, AgentInstance, UserContextFile
from goclaw.models.cron import CronJobCreate, CronRun, CronRunStatus, CronTrigger
from goclaw.models.delegations import (
    AgentLinkCreate,
    Delegation,
    DelegationKind,
    DelegationMode,
    DelegationStatus,
)
from goclaw.models.providers import Provider, ProviderCreate, ProviderType
from goclaw.models.run_stops import RunStop
from goclaw.models.runs import RunStatus
from goclaw.models.shapes import now
from goclaw.models.traces import Trace
from goclaw.models.trust import TrustingWorker
from goclaw.models.usage import UsageCounted, UsageDay, UsageHour
from goclaw.resolvers.agent_links import create_agent_link
from goclaw.resolvers.agents import create_agent, share_agent
from goclaw.resolvers.api_keys import create_api_key
from goclaw.resolvers.chat import start_chat
from goclaw.resolvers.context import Context
from goclaw.resolvers.cron import create_cron_job, list_cron_runs
from goclaw.resolvers.providers import create_provider
from goclaw.resolvers.run_stops import get_runs_state, resume_runs
from goclaw.resolvers.runs import count_runs, get_run, send_message
from goclaw.resolvers.services import Services
from goclaw.resolvers.sign_in import sign_in
from goclaw.resolvers.traces import list_spans
from goclaw.store.run_stops import add_stop
from goclaw.store.tables import TABLES
from tests.doors.calling import Caller
from tests.doors.personas import Persona
from tests.schema.client import Socket
from tests.support.callers import add_agent, add_provider, context
from tests.support.server import RunningServer
from tests.upstream import ScriptedUpstream

Rows = dict[str, str]

VOLATILE = (
    "array['last_used_at', 'last_used_address', 'calls', 'calls_on', 'heartbeat_at', 'lease_until']"
)
"""What the server writes by itself as time goes by."""

BACKGROUND = (TrustingWorker, Chore, UsageHour, UsageDay, UsageCounted)
"""Tables that only the work of the background writes, whenever it is due."""

BY_ITSELF = "api_key.refused"
DIGEST = " union all ".join(
    f"select '{table.__tablename__}', md5(string_agg(row, '' order by row)) from "
    f"(select (to_jsonb(t) - {VOLATILE})::text as row from {table.__tablename__} t"
    f" where to_jsonb(t) ->> 'action' is distinct from '{BY_ITSELF}') as rows"
    for table in TABLES
    if table not in BACKGROUND
)

ROWS_OF_A_TRACE = 3
FIRST_PAGE = 5
"""How often rows may be made until the first ones leave a page of 50."""


@dataclass
class World:
    """`rows` are ada's: an agent shared with eve, a conversation with it, and what came of it;
    `tokens` are keys with one scope each, bound to nobody.
    """

    server: RunningServer
    upstream: ScriptedUpstream
    http: aiohttp.ClientSession
    provider: Provider
    tokens: dict[Scope, str] = field(default_factory=dict)
    rows: Rows = field(default_factory=dict)
    bound_tokens: dict[Scope, str] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _newer: int = 0
    _keys: dict[tuple[frozenset[Scope], str | None], str] = field(default_factory=dict)
    _sockets: dict[Persona, Socket] = field(default_factory=dict)
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)
    _reading: "asyncpg.Connection[asyncpg.Record] | None" = None

    @property
    def services(self) -> Services:
        return self.server.services

    def caller(self, scope: Scope | None, user_id: str | None = "ada") -> Caller:
        """With a key of that scope alone, bound to nobody; without a scope nobody."""
        token = None if scope is None else self.tokens[scope]
        return Caller(self.http, self.server.url, token, user_id)

    async def persona(self, persona: Persona) -> Caller:
        """With a key of those scopes, made when it is needed first."""
        token = None
        if persona.granted is not None:
            made = (persona.granted, persona.bound)
            if made not in self._keys:
                _, self._keys[made] = await self.key(
                    *sorted(persona.granted), user_id=persona.bound
                )
            token = self._keys[made]
        return Caller(self.http, self.server.url, token, persona.named)

    async def socket(self, persona: Persona) -> Socket:
        """One that stays open for the persona's next questions, until `hang_up`."""
        if persona not in self._sockets:
            caller = await self.persona(persona)
            self._sockets[persona] = await self._open.enter_async_context(caller.socket())
        return self._sockets[persona]

    async def hang_up(self) -> None:
        """Closes the sockets: the server gives up one that nobody reads for a while."""
        self._sockets.clear()
        await self._open.aclose()

    def root(self, user_id: str | None = None) -> Caller:
        """With the gateway token."""
        return Caller(self.http, self.server.url, self.server.token, user_id)

    async def key(self, *scopes: Scope, **more: Any) -> tuple[UUID, str]:
        admin = context(self.services, None, Scope.ADMIN)
        made = await create_api_key(admin, ApiKeyCreate(name="door", scopes=list(scopes), **more))
        return made.id, made.key

    async def bound(self, scope: Scope) -> Caller:
        """Ada with a key for another agent of hers than the one the rows are about."""
        if scope not in self.bound_tokens:
            key = f"bound-{scope.partition('.')[2]}"
            agent = await add_agent(self.services, self.provider, key)
            _, token = await self.key(scope, user_id="ada", agent_ids=[agent.id])
            self.bound_tokens[scope] = token
        return Caller(self.http, self.server.url, self.bound_tokens[scope])

    async def recent(self) -> Rows:
        """Rows that everybody may look at, on the first page of every list."""
        if not self.rows or self._newer > FIRST_PAGE:
            self.rows = await self.fresh()
            self._newer = 0
        return self.rows

    async def fresh(self, *, conversation: bool = True) -> Rows:
        """Rows of ada that no test has touched; the provider has no agent."""
        number = next(self._numbers)
        self._newer += 2  # agents
        ada = context(self.services)
        cursor = await self.services.hub.head()
        provider = await create_provider(
            ada,
            ProviderCreate(
                name=f"provider-{number}",
                provider_type=ProviderType.OPENAI_COMPAT,
                api_base=self.upstream.base_url(),
                api_key=SecretStr("sk-upstream-secret"),
            ),
        )
        agent = await create_agent(
            ada,
            AgentCreate(key=f"agent-{number}", provider_id=self.provider.id, model="scripted-1"),
        )
        share = await share_agent(ada, agent.id, ShareCreate(user_id="eve"))
        key_id, _ = await self.key(Scope.READ)
        rows = {
            "number": str(number),
            "gone": f"gone-{number}",
            "cursor": cursor,
            "provider": str(provider.id),
            "provider_name": provider.name,
            "agent": str(agent.id),
            "agent_key": agent.key,
            "share": str(share.id),
            "key": str(key_id),
            "run_stop": str(await self._ended_stop()),
            "tool": "read_file",
            **await self._cron(agent.id),
            **await self._delegated(agent),
            **await self._met(agent.id),
            "web_session": str((await sign_in(ada, "a browser")).session.id),
        }
        return rows | (await self._conversation(ada, agent.key) if conversation else {})

    async def _delegated(self, agent: AgentView) -> Rows:
        """Another agent that this one may ask, a task of its, and one that came of that."""
        ada = context(self.services)
        data = AgentCreate(
            key=f"{agent.key}-peer", provider_id=self.provider.id, model="scripted-1"
        )
        peer = await create_agent(ada, data)
        ends = AgentLinkCreate(source_agent_id=agent.id, target_agent_id=peer.id)
        link = await create_agent_link(ada, ends)
        given = self._task(agent.id, peer.id, None)
        came = self._task(agent.id, peer.id, given.id)
        async with ada.db() as db:
            db.add_all((given, came))
        return {
            "peer": str(peer.id),
            "agent_link": str(link.id),
            "delegation": str(given.id),
            "child_task": str(came.id),
        }

    async def _met(self, agent_id: UUID) -> Rows:
        """A file of the agent's own, and one of ada's, whom it has met."""
        own = AgentContextFile(agent_id=agent_id, file_name="SOUL.md", content="Dry.")
        instance = AgentInstance(agent_id=agent_id, user_id="ada")
        adas = UserContextFile(agent_id=agent_id, user_id="ada", file_name="USER.md", content="Ada")
        ids = {"agent_file": own.id, "instance": instance.id, "user_file": adas.id}
        async with context(self.services).db() as db:
            db.add_all((own, instance, adas))
        return {name: str(id) for name, id in ids.items()}

    def _task(self, source: UUID, target: UUID, parent: UUID | None) -> Delegation:
        return Delegation(
            kind=DelegationKind.DELEGATE,
            mode=DelegationMode.SYNC,
            status=DelegationStatus.COMPLETED,
            source_agent_id=source,
            target_agent_id=target,
            user_id="ada",
            parent_id=parent,
            parent_run_id=uuid7(),
            root_run_id=uuid7(),
            parent_trace_id=uuid7(),
            run_id=uuid7(),
            label="a task",
            task="What is new?",
            result="Nothing.",
        )

    async def _below(self, trace_id: UUID, agent_id: UUID) -> Rows:
        """A trace of a run that the trace's run began."""
        trace = Trace(
            parent_trace_id=trace_id,
            agent_id=agent_id,
            user_id="ada",
            name="below",
            channel="subagent",
            status=RunStatus.COMPLETED,
        )
        below = str(trace.id)
        async with context(self.services).db() as db:
            db.add(trace)
        return {"below": below}

    async def _cron(self, agent_id: UUID) -> Rows:
        """A job that is due tomorrow, and a time of it that was skipped."""
        ada = context(self.services)
        daily = CronJobCreate(
            name="Daily",
            agent_id=agent_id,
            message="What is new?",
            kind=ScheduleKind.EVERY,
            every_s=86_400,
        )
        job = await create_cron_job(ada, daily)
        skipped = CronRun(
            job_id=job.id, trigger=CronTrigger.DUE, asked_by="ada", status=CronRunStatus.SKIPPED
        )
        async with ada.db() as db:
            db.add(skipped)
        return {"cron_job": str(job.id), "cron_run": str(skipped.id)}

    async def _ended_stop(self) -> UUID:
        async with context(self.services).db() as db:
            stop = RunStop(stopped_by="boss", resumed_by="boss", resumed_at=now())
            return (await add_stop(db, stop)).id

    async def _conversation(self, ada: Context, agent_key: str) -> Rows:
        said = ChatRequest.model_validate(
            {
                "model": f"goclaw:{agent_key}",
                "messages": [{"role": "user", "content": f"What is {agent_key}?"}],
            }
        )
        begun = await start_chat(ada, said)
        await begun.reply()
        await self.settle()
        run = await get_run(ada, begun.id)
        spans = await list_spans(ada, run.trace_id)
        return {
            "run": str(run.id),
            "session": str(run.session_id),
            "trace": str(run.trace_id),
            "span": str(spans[-1].id),
            "question": f"What is {agent_key}?",
            **await self._below(run.trace_id, run.agent_id),
        }

    async def talking(self) -> Rows:
        """A detached run of ada whose model has not answered yet."""
        rows = await self.fresh()
        self.upstream.silence()
        ada = context(self.services)
        sent = SendMessage(agent_id=UUID(rows["agent"]), text="Think.")
        run = await send_message(ada, sent)
        return rows | {"run": str(run.id), "session": str(run.session_id)}

    async def hush(self) -> None:
        """Ends the runs that go on, lets others begin, forgets answers that nobody asked for."""
        self.upstream._queue.clear()
        for run in list(self.services.runner.live.values()):
            run.cancel()
            await run.ended()
        await self.settle_cron()
        boss = context(self.services, None, Scope.ADMIN)
        while (stop := (await get_runs_state(boss)).stop) is not None:
            await resume_runs(boss, stop.id)

    async def settle_cron(self) -> None:
        """Returns when what came of all times of cron jobs is noted."""
        ada = context(self.services, None, Scope.ADMIN)
        for _ in range(1000):
            runs = await list_cron_runs(ada, PageRequest(limit=100))
            if all(run.status != CronRunStatus.STARTED for run in runs.rows):
                return
            await asyncio.sleep(0.01)
        raise TimeoutError("what came of cron jobs was not noted")

    async def at_rest(self) -> None:
        """Returns when no run goes on, and none is queued, whoever began it."""
        boss = context(self.services, None, Scope.ADMIN)
        for _ in range(1000):
            at_work = (RunStatus.QUEUED, RunStatus.RUNNING)
            if sum([await count_runs(boss, status=status) for status in at_work]) == 0:
                return
            await asyncio.sleep(0.01)
        raise TimeoutError("runs go on")

    async def settle(self) -> None:
        """Returns when the traces of all ended runs are written."""
        runner, traces = self.services.runner, self.services.traces
        for _ in range(1000):
            if traces.written == ROWS_OF_A_TRACE * (runner.completed + runner.failed):
                return
            await asyncio.sleep(0.01)
        raise TimeoutError("the traces were not written")

    async def digest(self) -> dict[str, str]:
        """What all tables hold; two of them differ when anything was written in between."""
        await self.services.refusals.flush()
        await self.settle_cron()
        await self.settle()
        if self._reading is None:
            self._reading = await asyncpg.connect(self.server.host.dsn)
        return dict(await self._reading.fetch(DIGEST))

    async def close(self) -> None:
        await self.hush()
        await self.hang_up()
        if self._reading is not None:
            await self._reading.close()


@asynccontextmanager
async def opened_world(server: RunningServer, upstream: ScriptedUpstream) -> AsyncIterator[World]:
    async with aiohttp.ClientSession() as http:
        provider = await add_provider(server.services, upstream)
        world = World(server, upstream, http, provider)
        for scope in Scope:
            _, world.tokens[scope] = await world.key(scope)
        await add_agent(server.services, provider)
        yield world
        await world.close()
