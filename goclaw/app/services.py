"""Opens and closes what a worker shares among its calls, in order."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pkgutil import resolve_name
from typing import Any, Final

import structlog

from goclaw.app.toolset import open_toolset
from goclaw.core.callers import system_caller
from goclaw.core.errors import GatewayError
from goclaw.core.host import Host
from goclaw.core.logs import scrub_logs
from goclaw.core.settings import JOB_CONNECTIONS, Settings, is_loopback
from goclaw.core.tasks import cancelled
from goclaw.events.backend import FanoutBackend
from goclaw.events.hub import EventHub
from goclaw.events.postgres import PostgresBackend
from goclaw.events.trust import Trust
from goclaw.jobs.cron import CronClock
from goclaw.jobs.delegations import see_to_delegations
from goclaw.providers.registry import OLLAMA_HOST
from goclaw.resolvers.enter import KEYS
from goclaw.resolvers.key_use import KeyUse
from goclaw.resolvers.refused_credentials import RefusedCredentials
from goclaw.resolvers.seed import seed, warm_local_model
from goclaw.resolvers.services import Services
from goclaw.resolvers.targets import TARGETS, Targets
from goclaw.runtime.clients import ModelClients
from goclaw.runtime.collector import Collector
from goclaw.runtime.job_runs import JobRuns
from goclaw.runtime.lanes import Lanes
from goclaw.runtime.limits import Limits
from goclaw.runtime.remote import RemoteRuns
from goclaw.runtime.retention import Retention
from goclaw.runtime.rollup import Rollup
from goclaw.runtime.runner import Runner
from goclaw.runtime.trace_export import TraceExporter
from goclaw.runtime.trace_writer import TraceWriter
from goclaw.runtime.upkeep import Upkeep
from goclaw.security.edge import Edge
from goclaw.security.guard import Guard
from goclaw.security.key_cache import KeyCache
from goclaw.security.key_ring import key_ring
from goclaw.security.outbound import OutboundClient
from goclaw.security.places import Places
from goclaw.security.rate_storage import Storage, open_storage
from goclaw.security.rates import Failures, Rates
from goclaw.security.scrub import Scrubber
from goclaw.security.secrets_held import Secrets, secrets_of_host
from goclaw.security.tool_rates import ToolRates
from goclaw.security.vault import Vault
from goclaw.store.api_keys import ValidKey, valid_key
from goclaw.store.database import Database, open_database
from goclaw.store.events import PostgresLog, drop_foreign_events
from goclaw.store.fanout import PostgresFanout
from goclaw.store.trust import PostgresTrust
from goclaw.tools.registry import Checks

log = structlog.get_logger()

Begin = Callable[[], Coroutine[Any, Any, None]]

RESTART_S: Final = 1.0
REDIS_BACKEND: Final = "goclaw.events.redis:RedisBackend"
"""Imported only where Redis is used, as the client adds a tenth to a worker's start."""

OTLP: Final = "goclaw.runtime.otlp:Otlp"
"""Imported only where traces are exported: its messages take 50 ms to load."""

CARRIER: Final = "goclaw.jobs.carrier:Carrier"
"""Imported once the worker answers: it brings a database driver of its own."""

LISTEN_CONNECTIONS: Final = 1
"""What the fan-out holds outside the pools."""


def open_vault(host: Host) -> Vault:
    """The configured keys and, beside an embedded database, those of the data folder.

    Raises UnusableKey.
    """
    return Vault(key_ring(host.settings, embedded=host.embedded_database))


def open_scrubber(host: Host, vault: Vault) -> Scrubber:
    """Knows the secrets of the settings, and the keys of the file beside an embedded database."""
    keys = (key.raw.hex() for key in vault.keys.reading())
    return Scrubber(Secrets([*secrets_of_host(host), *keys]))


def open_outbound(host: Host) -> OutboundClient:
    """Ollama on this machine may be reached as long as strangers cannot reach the server."""
    allowed = list(host.settings.allowed_outbound_hosts)
    if is_loopback(host.settings.host):
        allowed.append(OLLAMA_HOST)
    outbound = OutboundClient(allowed)
    outbound.embed(host.local_model.base_url if host.local_model else None)
    outbound.collect(host.settings.traces_url)
    return outbound


def open_exporter(
    settings: Settings,
    database: Database,
    outbound: OutboundClient,
    scrubber: Scrubber,
    worker: str,
) -> TraceExporter | None:
    """None where no collector is named."""
    if settings.traces_url is None:
        return None
    collector = Collector(outbound, settings.traces_url, settings.collector_headers)
    form = resolve_name(OTLP)(
        settings.otlp_protocol,
        settings.otlp_service_name,
        worker,
        scrubber,
        with_contents=settings.otlp_contents,
    )
    return TraceExporter(database, collector, form)


def _backend(settings: Settings, database: Database, dsn: str) -> FanoutBackend:
    if settings.redis_url is not None:
        backend: FanoutBackend = resolve_name(REDIS_BACKEND)(settings.redis_url.get_secret_value())
        return backend
    return PostgresBackend(PostgresFanout(database.pool, dsn))


@asynccontextmanager
async def open_services(host: Host, *, serving: bool = True) -> AsyncIterator[Services]:
    """Ends in the reverse order: runs first, then what they write to.

    Not `serving`: for a command beside the server, whose environment is another one. It
    seeds nothing and does none of the server's work in the background.
    """
    async with AsyncExitStack() as stack:
        database = await _open_database(host)
        stack.push_async_callback(database.close)
        services = _assemble(host, database)
        stack.push_async_callback(services.rates.close)
        stack.push_async_callback(services.tool_rates.close)
        await services.outbound.open()
        stack.push_async_callback(services.outbound.close)
        stack.push_async_callback(_flush, services)
        if serving:
            await drop_foreign_events(database.pool)
            await seed(services)
        await services.hub.start()
        stack.push_async_callback(services.hub.stop)
        await services.trust.start()
        stack.push_async_callback(services.trust.stop)
        if serving:
            stack.push_async_callback(cancelled, _start_background(services))
        stack.push_async_callback(services.runner.stop, host.settings.shutdown_grace_s)
        yield services


async def _open_database(host: Host) -> Database:
    besides = LISTEN_CONNECTIONS + (JOB_CONNECTIONS if host.settings.carry_jobs else 0)
    connections = max(3, host.connections_per_worker - besides)
    return await open_database(host.dsn, connections, statement_cache=host.settings.statement_cache)


def _assemble(host: Host, database: Database) -> Services:
    backend = _backend(host.settings, database, host.dsn)
    keep_s = timedelta(days=host.settings.keep_events_days).total_seconds()
    hub = EventHub(PostgresLog(database.pool), backend, keep_s=keep_s)
    trust = Trust(hub, PostgresTrust(database.pool))
    outbound = open_outbound(host)
    vault = open_vault(host)
    scrubber = open_scrubber(host, vault)
    scrub_logs(scrubber.log_line)
    worker = f"{socket.gethostname()}:{os.getpid()}"
    exporter = open_exporter(host.settings, database, outbound, scrubber, worker)
    traces = TraceWriter(database, exporter.add if exporter else None)
    runner = Runner(database, hub, traces, scrubber, worker, Limits.of(host.settings))
    counters = _counters(host.settings)
    rates = Rates(host.settings, counters)
    tool_rates = ToolRates(host.settings, _counters(host.settings))
    guard = Guard(host.settings)
    targets = _targets(trust)
    checks = Checks(guard.result, tool_rates.count)
    toolset = open_toolset(
        host.settings, database, trust, vault, outbound, scrubber, targets, checks
    )
    services = Services(
        host=host,
        settings=host.settings,
        database=database,
        hub=hub,
        trust=trust,
        vault=vault,
        outbound=outbound,
        scrubber=scrubber,
        clients=ModelClients(host, vault, outbound, scrubber, database),
        runner=runner,
        job_runs=JobRuns(database, runner, host.settings, scrubber),
        lanes=Lanes(host.settings),
        remote=RemoteRuns(runner, hub),
        traces=traces,
        exporter=exporter,
        keys=_keys(database, trust),
        key_use=KeyUse(database),
        targets=targets,
        toolboxes=toolset.registry,
        tools=toolset.registry,
        workspaces=toolset.workspaces,
        edge=Edge(host.settings, rates),
        rates=rates,
        tool_rates=tool_rates,
        guard=guard,
        failures=Failures(host.settings, counters),
        refusals=RefusedCredentials(database),
        sockets=open_sockets(host.settings),
        subscriptions=open_subscriptions(host.settings),
        started_at=datetime.now(UTC),
    )
    toolset.attach(services)
    return services


def _counters(settings: Settings) -> Storage:
    """One for each length of time that is counted by: its counters end in the order they begin."""
    url = settings.redis_url
    return open_storage(url.get_secret_value() if url else None)


def _keys(database: Database, trust: Trust) -> KeyCache[ValidKey]:
    reads = database.reads(system_caller())
    keys = KeyCache(partial(valid_key, reads), lambda: trust.holds)
    trust.on(KEYS, keys.forget)
    return keys


def _targets(trust: Trust) -> Targets:
    targets = Targets(lambda: trust.holds)
    trust.on(TARGETS, targets.forget)
    return targets


def open_sockets(settings: Settings) -> Places:
    return Places(
        "too_many_sockets",
        {"address": settings.sockets_per_address, "credential": settings.sockets_per_credential},
    )


def open_subscriptions(settings: Settings) -> Places:
    return Places(
        "too_many_followed",
        {
            "address": settings.subscriptions_per_address,
            "credential": settings.subscriptions_per_credential,
        },
    )


def _start_background(services: Services) -> list["asyncio.Task[None]"]:
    settings = services.settings
    upkeep = Upkeep(
        services.database,
        services.runner,
        Rollup(services.database),
        Retention(services.database, settings),
        keep_events=timedelta(days=settings.keep_events_days),
        session_idle=timedelta(seconds=settings.session_idle_s),
        on_ended=services.traces.on_ended,
    )
    work: dict[str, Begin] = {
        "traces": services.traces.run,
        "key_use": services.key_use.run,
        "refusals": services.refusals.run,
        "beat": upkeep.beat,
        "tidy": upkeep.tidy,
        "remote_runs": services.remote.run,
        "warm_up": lambda: warm_local_model(services),
    }
    if services.exporter is not None:
        work["export"] = services.exporter.run
    return [asyncio.create_task(_keep_going(name, begin)) for name, begin in work.items()]


async def carry_jobs(services: Services) -> None:
    """Until cancelled; it ends when all of them have. The engine is imported beside the loop,
    which answers meanwhile.
    """
    if services.settings.carry_jobs:
        carrier = await asyncio.to_thread(resolve_name, CARRIER)
        async with asyncio.TaskGroup() as group:
            group.create_task(_keep_going("jobs", lambda: carrier(services).run()))
            group.create_task(_keep_going("cron", lambda: CronClock(services).run()))
            group.create_task(_keep_going("delegations", lambda: see_to_delegations(services)))


async def _keep_going(name: str, begin: Begin) -> None:
    """Background work that breaks is begun again; that it broke is logged."""
    while True:
        try:
            await begin()
            return
        except Exception as error:  # noqa: BLE001 - nobody else would hear of it
            level = log.warning if isinstance(error, GatewayError) else log.exception
            level("background.restarted", work=name, error=str(error))
        await asyncio.sleep(RESTART_S)


async def _flush(services: Services) -> None:
    """The last traces, and when keys were last used; what cannot be written hinders no other."""
    flushes: dict[str, Begin] = {
        "traces": services.traces.flush,
        "key_use": services.key_use.flush,
        "refusals": services.refusals.flush,
    }
    if services.exporter is not None:
        flushes["export"] = services.exporter.flush
    for name, flush in flushes.items():
        try:
            await flush()
        except Exception:  # the server stops in any case: nobody is left to be told but the log
            log.exception("services.flush_failed", work=name)
