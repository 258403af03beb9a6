"""A small application in place of goclaw.app, to watch the processes around it."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import asyncpg

from goclaw.core.errors import Conflict
from goclaw.core.host import Host

SECONDS = {"/slow": 1, "/slower": 20}

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


async def prepare(host: Host) -> None:
    connection = await asyncpg.connect(host.dsn)
    try:
        await connection.execute("create table if not exists starts (at timestamptz)")
        await connection.execute("insert into starts values (now())")
    finally:
        await connection.close()


class StandIn:
    """`/slow` takes its time, `/exit` ends the worker, `/` tells what the worker knows."""

    def __init__(self, host: Host) -> None:
        self.host = host

    async def stop(self) -> None:
        """Has no streams of its own to end."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        path = scope["path"].removeprefix(scope["root_path"])
        if path == "/exit":
            os._exit(3)
        if path in SECONDS:
            await asyncio.sleep(SECONDS[path])
        body = json.dumps(await self.facts() if path == "/" else {}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    async def facts(self) -> dict[str, Any]:
        connection = await asyncpg.connect(self.host.dsn)
        starts = await connection.fetchval("select count(*) from starts")
        await connection.close()
        model = self.host.local_model
        return {
            "pid": os.getpid(),
            "parent": os.getppid(),
            "starts": starts,
            "connections": self.host.connections_per_worker,
            "model": [model.base_url, model.api_key] if model else None,
            "missing": self.host.local_model_missing,
        }


async def lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def create_app(host: Host) -> StandIn:
    return StandIn(host)


def refuse(host: Host) -> StandIn:
    raise RuntimeError(f"no application for {Path.cwd()}")


async def refuse_migration(host: Host) -> None:
    raise Conflict("database_newer", version="9999", known="0001")
