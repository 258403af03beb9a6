"""What workers remember of the database, and how it is forgotten everywhere.

A worker may use what it remembers while its lease holds. Whoever changes rows that may be
remembered raises the epoch in the same transaction; after the commit it calls `invalidate`,
which returns when no worker uses the old rows any more. docs/adr/0006-trust-by-lease.md says why.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeAlias
from uuid import uuid4

import structlog

from goclaw.core.clock import clock_s
from goclaw.core.errors import GatewayError
from goclaw.events.background import Background
from goclaw.events.hub import EventHub
from goclaw.events.lease import LEASE_S, Lease
from goclaw.events.ports import TrustSql

log = structlog.get_logger()

CHANNEL: Final = "trust"
MARGIN_S: Final = 0.05
"""For clocks that do not run equally fast, and timers that are early."""

Outdated: TypeAlias = Mapping[str, Collection[str]]
"""Ids by kind."""
Forget: TypeAlias = Callable[[Collection[str] | None], None]
"""Gets the ids to forget, or None for all there are. It must neither wait nor fail."""


class Acknowledgements:
    """Which workers have said that they forgot."""

    def __init__(self) -> None:
        self._from: set[str] = set()
        self._changed = asyncio.Event()

    def add(self, worker: str) -> None:
        self._from.add(worker)
        self._changed.set()

    async def all_of(self, workers: set[str]) -> None:
        while not workers <= self._from:
            self._changed.clear()
            await self._changed.wait()


class Trust:
    """`lease_s` must be the same in all workers on one database."""

    def __init__(self, hub: EventHub, sql: TrustSql, lease_s: float = LEASE_S) -> None:
        self._hub = hub
        self._sql = sql
        self._name = uuid4().hex
        self._wait_s = lease_s + MARGIN_S
        self._lease = Lease(sql, self._name, self._beat, self.gap, lease_s)
        self._background = Background("trust", self._lease.run)
        self._handlers: defaultdict[str, list[Forget]] = defaultdict(list)
        self._waiting: dict[str, Acknowledgements] = {}

    @property
    def holds(self) -> bool:
        """Whether what is remembered may be used at this moment. To be asked at every use:
        it is only kept up while somebody asks.
        """
        return self._lease.holds

    @property
    def held(self) -> bool:
        """The same for who only looks on, for which nothing is kept up."""
        return self._lease.held

    def on(self, kind: str, forget: Forget) -> None:
        """`forget` must also spoil what is being read at the time, so that it is not kept."""
        self._handlers[kind].append(forget)

    async def start(self) -> None:
        await self._hub.attach(CHANNEL, self)
        await self._lease.begin()
        self._background.start()

    async def stop(self) -> None:
        """Those who revoke need not wait for this worker any more."""
        await self._background.stop()
        self._lease.end()
        try:
            await self._sql.forget(self._name)
        except GatewayError as error:
            log.warning("trust.still_registered", error=error.code)

    async def invalidate(self, outdated: Outdated, epoch: int) -> None:
        """Returns when no worker uses the old rows any more: all that may remember them have
        said so, or every lease has run out. Takes at most the time of a lease, also when
        neither the database nor the fan-out answers.

        `epoch` is what the committed transaction made of it.
        """
        ends_at = clock_s() + self._wait_s
        self._forget(outdated, epoch)
        try:
            async with asyncio.timeout(self._wait_s):
                await self._tell(outdated, epoch)
        except TimeoutError:
            log.info("trust.waited", epoch=epoch)
        except GatewayError as error:
            log.warning("trust.untold", epoch=epoch, error=error.code)
        else:
            return
        await asyncio.sleep(ends_at - clock_s())

    def heard(self, message: dict[str, Any]) -> None:
        """A message of another worker."""
        if "forget" in message:
            self._forget(message["forget"], message["epoch"])
            self._hub.post(CHANNEL, {"ack": message["id"], "worker": self._name})
        elif message.get("ack") in self._waiting:
            self._waiting[message["ack"]].add(message["worker"])

    def echoed(self, message: dict[str, Any]) -> None:
        """A message of this worker, back over the fan-out."""
        if "beat" in message:
            self._lease.echoed(message["beat"])

    def gap(self) -> None:
        """Something may have been missed: everything is forgotten."""
        for handlers in self._handlers.values():
            for forget in handlers:
                forget(None)

    def _beat(self, at: float) -> None:
        self._hub.post(CHANNEL, {"beat": at})

    def _forget(self, outdated: Outdated, epoch: int) -> None:
        for kind, ids in outdated.items():
            for forget in self._handlers[kind]:
                forget(ids)
        self._lease.told(epoch)

    async def _tell(self, outdated: Outdated, epoch: int) -> None:
        """The workers are asked for after the commit, so that one that comes later than the
        answer has yet to read the epoch, and reads the new one.
        """
        with self._acknowledged() as (id, acknowledgements):
            ids = {kind: list(ids) for kind, ids in outdated.items()}
            await self._hub.publish(CHANNEL, {"forget": ids, "epoch": epoch, "id": id})
            await acknowledgements.all_of(await self._sql.workers() - {self._name})

    @contextmanager
    def _acknowledged(self) -> Iterator[tuple[str, Acknowledgements]]:
        id = uuid4().hex
        self._waiting[id] = Acknowledgements()
        try:
            yield id, self._waiting[id]
        finally:
            del self._waiting[id]
