"""Reads for hot paths: written once in SQLAlchemy, run as prepared asyncpg statements."""

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, Final, Generic, TypeVar, cast

from sqlalchemy import ARRAY, Select, Uuid, and_, bindparam, true
from sqlalchemy.dialects import registry
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlmodel import SQLModel

from goclaw.core.callers import Caller
from goclaw.store.database import Reads
from goclaw.store.visibility import visible_to_all, visible_to_user, within_agents

T = TypeVar("T")

CALLER: Final = "caller_user_id"
CALLER_AGENTS: Final = "caller_agent_ids"
DIALECT: Final[Dialect] = registry.load("postgresql.asyncpg")()
Visible = Callable[[type[SQLModel]], Any]


class Statement:
    """Text and parameter order of one compiled statement."""

    def __init__(self, statement: ClauseElement) -> None:
        compiled = statement.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
        assert isinstance(compiled, SQLCompiler)
        self.sql = str(compiled)
        self.names: list[str] = list(compiled.positiontup or ())
        self.fixed = {name: value for name, value in compiled.params.items() if value is not None}

    def arguments(self, given: dict[str, object]) -> list[object]:
        return [given[name] if name in given else self.fixed.get(name) for name in self.names]


class Query(Generic[T]):
    """`build` gets a function that gives the condition for rows the caller may see, and
    returns the select; it runs once for callers who see all and once for the others, and
    again for each of them when a key is bound to agents.

    `T` names the attributes of the rows; they are read-only records, not objects of `T`.
    """

    def __init__(self, build: Callable[[Visible], Select[Any]]) -> None:
        self._build = build

    @cached_property
    def _all(self) -> Statement:
        return Statement(self._build(_all_rows))

    @cached_property
    def _own(self) -> Statement:
        return Statement(self._build(_own_rows))

    @cached_property
    def _all_bound(self) -> Statement:
        return Statement(self._build(partial(_rows_of_agents, _all_rows)))

    @cached_property
    def _own_bound(self) -> Statement:
        return Statement(self._build(partial(_rows_of_agents, _own_rows)))

    def _statement_for(self, caller: Caller) -> Statement:
        if caller.agent_ids is None:
            return self._all if caller.sees_all else self._own
        return self._all_bound if caller.sees_all else self._own_bound

    async def fetch(self, on: Reads, **given: object) -> list[T]:
        statement = self._statement_for(on.caller)
        given[CALLER] = on.caller.user_id
        given[CALLER_AGENTS] = on.caller.agent_ids and list(on.caller.agent_ids)
        return cast("list[T]", await on.records(statement.sql, statement.arguments(given)))

    async def fetch_one(self, on: Reads, **given: object) -> T | None:
        rows = await self.fetch(on, **given)
        return rows[0] if rows else None


def _all_rows(table: type[SQLModel]) -> Any:
    condition = visible_to_all(table)
    return true() if condition is None else condition


def _own_rows(table: type[SQLModel]) -> Any:
    condition = visible_to_user(table, bindparam(CALLER))
    return true() if condition is None else condition


def _rows_of_agents(rows: Visible, table: type[SQLModel]) -> Any:
    within = within_agents(table, bindparam(CALLER_AGENTS, type_=ARRAY(Uuid)))
    return rows(table) if within is None else and_(rows(table), within)
