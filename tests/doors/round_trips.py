"""Counts what goes to PostgreSQL and waits for its answer, transaction control included."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import pytest
from asyncpg import Connection
from asyncpg.protocol import Protocol

from goclaw.app.gateway import Gateway

CALLS = (
    "prepare",
    "bind_execute",
    "bind_execute_many",
    "bind",
    "execute",
    "query",
    "copy_in",
    "copy_out",
    "close_statement",
)
"""What asyncpg's protocol sends; each waits for one ReadyForQuery."""

REQUEST: "ContextVar[Counted | None]" = ContextVar("REQUEST", default=None)


@dataclass
class Counted:
    """`own` are round trips that the request's own task waited for; `others` those of tasks
    and timers it began.
    """

    task: "asyncio.Task[Any] | None" = None
    own: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def note(self, sent: str) -> None:
        (self.own if asyncio.current_task() is self.task else self.others).append(sent)


@contextmanager
def counting(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Counted]]:
    """One entry for each request that comes in meanwhile. What a new connection asks about types
    is none of theirs, just as connecting is not.
    """
    requests: list[Counted] = []
    answer = Gateway.__call__

    async def counted(self: Gateway, scope: Any, receive: Any, send: Any) -> None:
        request = Counted(asyncio.current_task())
        requests.append(request)
        REQUEST.set(request)
        await answer(self, scope, receive, send)

    with monkeypatch.context() as patched:
        patched.setattr(Gateway, "__call__", counted)
        for name in CALLS:
            patched.setattr(Protocol, name, noted(name, getattr(Protocol, name)))
        patched.setattr(Connection, "_introspect_types", unseen(Connection._introspect_types))
        yield requests


def unseen(call: Any) -> Any:
    async def asked(*args: Any) -> Any:
        token = REQUEST.set(None)
        try:
            return await call(*args)
        finally:
            REQUEST.reset(token)

    return asked


def noted(name: str, call: Any) -> Any:
    def sent(self: Any, *args: Any, **kwargs: Any) -> Any:
        request = REQUEST.get()
        if request is not None:
            first = args[0] if args else ""
            request.note(f"{name} {getattr(first, 'query', first)}")
        return call(self, *args, **kwargs)

    return sent
