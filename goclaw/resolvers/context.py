"""One call of one caller: who it is, what it may reach, what it has loaded."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from functools import cached_property, partial
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from goclaw.core.callers import Caller
from goclaw.core.errors import InvalidInput, NotFound, Unauthenticated
from goclaw.core.locales import Locale
from goclaw.core.paging import Page, PageRequest
from goclaw.models.activity import Activity
from goclaw.models.agents import AgentShare, AgentView
from goclaw.models.api_keys import ApiKey
from goclaw.models.context_files import AgentInstanceView, UserContextFile
from goclaw.models.cron import CronJobView, CronRun
from goclaw.models.delegations import AgentLink, DelegationView
from goclaw.models.events import Audience, Event
from goclaw.models.providers import Provider
from goclaw.models.runs import RunView
from goclaw.models.sessions import Message, Session
from goclaw.models.traces import SpanView, TraceView
from goclaw.resolvers.loader import Loader
from goclaw.resolvers.services import Services
from goclaw.resolvers.targets import TARGETS
from goclaw.store.agent_instances import files_by_instance, instances_by_id
from goclaw.store.agent_links import agent_links_by_id
from goclaw.store.agents import agents_by_id, shares_by_agent
from goclaw.store.api_keys import keys_by_id
from goclaw.store.cron import cron_jobs_by_id, last_cron_runs
from goclaw.store.database import Db, Reads
from goclaw.store.delegations import (
    delegations_by_id,
    delegations_by_parent,
)
from goclaw.store.providers import providers_by_id
from goclaw.store.runs import runs_by_id
from goclaw.store.sessions import (
    Tail,
    messages_by_id,
    messages_of_each,
    messages_of_tails,
    sessions_by_id,
)
from goclaw.store.traces import spans_by_trace, traces_by_id, traces_by_parent
from goclaw.store.trust import next_epoch

T = TypeVar("T")
Load = Callable[[Reads, Collection[UUID]], Awaitable[Mapping[UUID, T]]]

MAX_BATCH = 200
TAIL_MESSAGES = 200
STATEMENTS_AT_ONCE = 4
"""How many of a worker's connections one call may hold, however much it asks for."""


class Changed(Protocol):
    """A row that has an id."""

    id: UUID


AUDIENCES = {
    "agent": Audience.AGENT,
    "provider": Audience.ALL,
    "api_key": Audience.ADMIN,
    "session": Audience.USER,
    "encryption": Audience.ADMIN,
    "user": Audience.ADMIN,
    "web_session": Audience.USER,
    "run_stop": Audience.ALL,
    "builtin_tool": Audience.ALL,
    "cron_job": Audience.USER,
    "agent_link": Audience.AGENT,
    "agent_instance": Audience.USER,
}
"""Who may see the changes of an entity."""

LEADING: Final = ("agent", "agent_link", "provider", "user", "encryption", "run_stop")
"""Entities whose changes may change where a chat call goes, or how: shares go with agents and
users, ciphertext with the encryption key; while all runs are stopped, none goes anywhere. Links
say who is offered to ask others.
"""


class Context:
    """`caller` is None until somebody signed in. `locale` is the language that errors are told
    in, `address` the peer's IP address; `idempotency_key` is what the client sent to have a
    repeat recognised; `command` is what was typed on the host, without its arguments, for a call
    that came by no other door.
    """

    def __init__(
        self,
        services: Services,
        caller: Caller | None,
        request_id: str,
        *,
        locale: Locale = Locale.EN,
        address: str | None = None,
        idempotency_key: str | None = None,
        command: str | None = None,
    ) -> None:
        self.services = services
        self._caller = caller
        self.request_id = request_id
        self.locale = locale
        self.address = address
        self.idempotency_key = idempotency_key
        self.command = command
        self._in_block = False
        self._message_pages: dict[PageRequest, Loader[UUID, Page[Message] | None]] = {}
        self._slots = asyncio.Semaphore(STATEMENTS_AT_ONCE)

    def afresh(self, locale: Locale | None = None) -> "Context":
        """The same caller's next call, in this or the same language, with nothing loaded yet."""
        return Context(
            self.services,
            self._caller,
            self.request_id,
            locale=locale or self.locale,
            address=self.address,
        )

    @property
    def signed_in(self) -> bool:
        return self._caller is not None

    @property
    def caller(self) -> Caller:
        """Raises Unauthenticated when nobody signed in."""
        if self._caller is None:
            raise Unauthenticated("unauthenticated")
        return self._caller

    @property
    def user_id(self) -> str:
        """Who owns what this call writes. Raises InvalidInput when no user was named."""
        caller = self.caller
        if caller.user_id is None:
            self.require_user()
        return caller.actor

    def require_user(self) -> None:
        """Raises InvalidInput when no user was named, but for the administrator."""
        caller = self.caller
        if caller.user_id is None and not caller.sees_all:
            raise InvalidInput("user_required", field="X-GoClaw-User-Id")

    @property
    def reads(self) -> Reads:
        return self.services.database.reads(self.caller, self._slots)

    @asynccontextmanager
    async def db(self) -> AsyncIterator[Db]:
        """One transaction; whoever listens is woken after its commit, and what `outdate` was
        told is used by no worker any more when the block is left.
        """
        async with self.services.database.begin(self.caller) as db:
            self._in_block = True
            try:
                yield db
            finally:
                self._in_block = False
            epoch = await next_epoch(db) if db.outdated else None
        self.services.hub.wake()
        if epoch is not None:
            await self.services.trust.invalidate(db.outdated, epoch)

    def outdate(self, db: Db, kind: str, *ids: UUID | str) -> None:
        """Has the caches of `kind` in all workers forget these ids (`Trust.on`)."""
        db.outdated.setdefault(kind, set()).update(map(str, ids))

    def announce(
        self, db: Db, kind: str, row: Changed, *, agent_id: UUID | None = None, **details: Any
    ) -> None:
        """Writes the event and the audit row of a change, to be committed with it, and has
        forgotten everywhere what the change makes wrong.

        `kind` is `entity.verb`; `details` should hold no secret, and pass the scrubber.
        """
        details = self.services.scrubber.scrub_value(details)
        entity = kind.partition(".")[0]
        noted = details if self.command is None else {**details, "command": self.command}
        event = Event(
            topic=entity,
            kind=kind,
            user_id=getattr(row, "user_id", None) or getattr(row, "owner_id", None),
            agent_id=agent_id,
            audience=AUDIENCES[entity],
            payload={"id": str(row.id), **details},
        )
        audit = Activity(
            actor_type="user" if self.caller.user_id else "system",
            actor_id=self.caller.actor,
            action=kind,
            entity_type=entity,
            entity_id=str(row.id),
            details=noted or None,
            ip_address=self.address,
        )
        db.add_all((event, audit))
        if entity in LEADING:
            self.outdate(db, TARGETS, row.id)

    def _outside_blocks(self) -> None:
        if self._in_block:
            raise RuntimeError("a loader was awaited inside ctx.db(): it would deadlock")

    def _by_id(self, load: Load[T]) -> Loader[UUID, T | None]:
        async def batch(ids: list[UUID]) -> list[T | None]:
            self._outside_blocks()
            rows = await load(self.reads, ids)
            return [rows.get(id) for id in ids]

        return Loader(batch, max_batch_size=MAX_BATCH)

    @cached_property
    def agents(self) -> Loader[UUID, AgentView | None]:
        return self._by_id(agents_by_id)

    @cached_property
    def shares(self) -> Loader[UUID, list[AgentShare] | None]:
        return self._by_id(shares_by_agent)

    @cached_property
    def providers(self) -> Loader[UUID, Provider | None]:
        return self._by_id(providers_by_id)

    @cached_property
    def api_keys(self) -> Loader[UUID, ApiKey | None]:
        return self._by_id(keys_by_id)

    @cached_property
    def sessions(self) -> Loader[UUID, Session | None]:
        return self._by_id(sessions_by_id)

    @cached_property
    def cron_jobs(self) -> Loader[UUID, CronJobView | None]:
        return self._by_id(cron_jobs_by_id)

    @cached_property
    def last_cron_runs(self) -> Loader[UUID, CronRun | None]:
        """By the id of the job."""
        return self._by_id(last_cron_runs)

    @cached_property
    def agent_links(self) -> Loader[UUID, AgentLink | None]:
        return self._by_id(agent_links_by_id)

    @cached_property
    def instances(self) -> Loader[UUID, AgentInstanceView | None]:
        return self._by_id(instances_by_id)

    @cached_property
    def instance_files(self) -> Loader[UUID, list[UserContextFile] | None]:
        """By the id of the instance."""
        return self._by_id(files_by_instance)

    @cached_property
    def delegations(self) -> Loader[UUID, DelegationView | None]:
        return self._by_id(delegations_by_id)

    @cached_property
    def child_delegations(self) -> Loader[UUID, list[DelegationView] | None]:
        """By the id of the task they came of."""
        return self._by_id(delegations_by_parent)

    @cached_property
    def messages(self) -> Loader[UUID, Message | None]:
        return self._by_id(messages_by_id)

    @cached_property
    def runs(self) -> Loader[UUID, RunView | None]:
        return self._by_id(runs_by_id)

    def messages_of_sessions(self, page: PageRequest) -> Loader[UUID, Page[Message] | None]:
        """One loader for each page that is asked for."""
        loader = self._message_pages.get(page)
        if loader is None:
            loader = self._by_id(partial(messages_of_each, request=page))
            self._message_pages[page] = loader
        return loader

    @cached_property
    def tails(self) -> Loader[Tail, list[Message]]:
        """What steps of runs read and wrote: the last messages up to one, oldest first."""

        async def batch(tails: list[Tail]) -> list[list[Message]]:
            self._outside_blocks()
            messages = await messages_of_tails(self.reads, tails, TAIL_MESSAGES)
            return [messages[tail] for tail in tails]

        return Loader(batch, max_batch_size=MAX_BATCH)

    @cached_property
    def traces(self) -> Loader[UUID, TraceView | None]:
        return self._by_id(traces_by_id)

    @cached_property
    def child_traces(self) -> Loader[UUID, list[TraceView] | None]:
        """By the id of the trace they hang below."""
        return self._by_id(traces_by_parent)

    @cached_property
    def spans(self) -> Loader[UUID, list[SpanView] | None]:
        return self._by_id(spans_by_trace)


def found(row: T | None, entity: str, id: object) -> T:
    """Raises NotFound for None, which also stands for a row the caller may not see."""
    if row is None:
        raise NotFound(f"{entity}_not_found", id=id)
    return row
