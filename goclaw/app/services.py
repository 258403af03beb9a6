"""Opens and closes what a worker shares among its calls, in order."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pkgutil import resolve_name
from typing import Any, Final

import structlog

from goclaw.core.errors import GatewayError
from goclaw.core.host import Host
from goclaw.core.settings import Settings, is_loopback
from goclaw.events.backend import FanoutBackend
from goclaw.events.hub import EventHub
from goclaw.events.postgres import PostgresBackend
from goclaw.providers.registry import OLLAMA_HOST
from goclaw.resolvers.key_use import KeyUse
from goclaw.resolvers.seed import seed, warm_local_model
from goclaw.resolvers.services import Services
from goclaw.runtime.clients import ModelClients
from goclaw.runtime.remote import RemoteRuns
from goclaw.runtime.runner import Runner
from goclaw.runtime.trace_writer import TraceWriter
from goclaw.runtime.upkeep import Upkeep
from goclaw.security.outbound import OutboundClient
from goclaw.security.vault import Vault, key_in_folder, parse_key
from goclaw.store.database import Database, open_database
from goclaw.store.events import PostgresLog, drop_foreign_events
from goclaw.store.fanout import PostgresFanout

log = structlog.get_logger()

Begin = Callable[[], Coroutine[Any, Any, None]]

RESTART_S: Final = 1.0
REDIS_BACKEND: Final = "goclaw.events.redis:RedisBackend"
"""Imported only where Redis is used, as the client adds a tenth to a worker's start."""

LISTEN_CONNECTIONS: Final = 1
"""What the fan-out holds outside the pools."""


def open_vault(host: Host) -> Vault:
    """The configured key; beside an embedded database one of its own; else none."""
    configured = host.settings.encryption_key
    if configured is not None:
        return Vault(parse_key(configured.get_secret_value()))
    if host.embedded_database:
        return Vault(parse_key(key_in_folder(host.settings.data_dir)))
    return Vault(None)


def open_outbound(host: Host) -> OutboundClient:
    """Ollama on this machine may be reached as long as strangers cannot reach the server."""
    allowed = list(host.settings.allowed_outbound_hosts)
    if is_loopback(host.settings.host):
        allowed.append(OLLAMA_HOST)
    outbound = OutboundClient(allowed)
    outbound.embed(host.local_model.base_url if host.local_model else None)
    return outbound


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
        await services.outbound.open()
        stack.push_async_callback(services.outbound.close)
        stack.push_async_callback(_flush, services)
        if serving:
            await drop_foreign_events(database.pool)
            await seed(services)
        await services.hub.start()
        stack.push_async_callback(services.hub.stop)
        if serving:
            stack.push_async_callback(_stop_background, _start_background(services))
        stack.push_async_callback(services.runner.stop, host.settings.shutdown_grace_s)
        yield services


async def _open_database(host: Host) -> Database:
    connections = max(2, host.connections_per_worker - LISTEN_CONNECTIONS)
    return await open_database(host.dsn, connections, statement_cache=host.settings.statement_cache)


def _assemble(host: Host, database: Database) -> Services:
    hub = EventHub(PostgresLog(database.pool), _backend(host.settings, database, host.dsn))
    outbound = open_outbound(host)
    vault = open_vault(host)
    traces = TraceWriter(database)
    runner = Runner(database, hub, traces, f"{socket.gethostname()}:{os.getpid()}")
    return Services(
        host=host,
        settings=host.settings,
        database=database,
        hub=hub,
        vault=vault,
        outbound=outbound,
        clients=ModelClients(host, vault, outbound, database),
        runner=runner,
        remote=RemoteRuns(runner, hub),
        traces=traces,
        key_use=KeyUse(database),
        started_at=datetime.now(UTC),
    )


def _start_background(services: Services) -> list["asyncio.Task[None]"]:
    upkeep = Upkeep(services.database, services.runner)
    work = {
        "traces": services.traces.run,
        "key_use": services.key_use.run,
        "upkeep": upkeep.run,
        "remote_runs": services.remote.run,
        "warm_up": lambda: warm_local_model(services),
    }
    return [asyncio.create_task(_keep_going(name, begin)) for name, begin in work.items()]


async def _stop_background(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


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
    """The last traces, and when keys were last used."""
    try:
        await services.traces.flush()
        await services.key_use.flush()
    except Exception:
        log.exception("services.flush_failed", traces=services.traces.queued)
