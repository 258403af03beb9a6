"""No read forgets whose rows it may see: each query names the caller, or stands here with why."""

import importlib
import pkgutil
from typing import Any

import pytest

import goclaw.store
from goclaw.core.callers import Caller, Scope
from goclaw.models.agents import Agent
from goclaw.models.sessions import Session
from goclaw.store.query import CALLER, CALLER_AGENTS, Query
from goclaw.store.tables import TABLES
from goclaw.store.visibility import ALWAYS, CONDITIONS, WITHIN_AGENTS, visible_to

FOR_EVERYBODY = {
    "goclaw.store.providers": "providers have no owner; keys never leave the store unsealed",
    "goclaw.store.api_keys": "looked up by hash to sign in, listed for administrators alone",
    "goclaw.store.builtin_tools": "the server's own; secrets never leave the store unsealed",
    "goclaw.store.checkup": "one sealed secret, to see whether the key opens it",
    "goclaw.store.run_stops": "whether runs may begin concerns everybody alike",
    "goclaw.store.idempotency": "asked for by the caller's own name",
}
WITHOUT_AGENTS = {"SEEN"}
"""Events ask it, after `Caller.reaches`."""
SEES_NONE = "WHERE false"
"""What a condition that never holds comes to."""
INTERNAL = {
    "Chore",
    "BudgetWarning",
    "RunStop",
    "Event",
    "FanoutPayload",
    "IdempotentRequest",
    "TrustEpoch",
    "TrustingWorker",
    "UsageCounted",
}
"""Tables that no operation reads for a caller, or that say the same to all: the event log checks
each event as it is told.
"""


def queries() -> list[tuple[str, str, Query[Any]]]:
    found = []
    for module in pkgutil.iter_modules(goclaw.store.__path__, "goclaw.store."):
        loaded = importlib.import_module(module.name)
        found += [
            (module.name, name, value)
            for name, value in vars(loaded).items()
            if isinstance(value, Query)
        ]
    return found


@pytest.mark.parametrize(
    ("module", "name", "query"), queries(), ids=lambda v: v if isinstance(v, str) else ""
)
def test_every_query_asks_for_its_caller(module: str, name: str, query: Query[Any]) -> None:
    asks = CALLER in query._own.names
    assert asks != (module in FOR_EVERYBODY), f"{module}.{name}"
    bound = (query._own_bound, query._all_bound)
    within = all(CALLER_AGENTS in q.names or SEES_NONE in q.sql for q in bound)
    assert within != (module in FOR_EVERYBODY or name in WITHOUT_AGENTS), f"{module}.{name}"


def test_every_table_has_its_rule() -> None:
    assert {table.__name__ for table in TABLES} - INTERNAL == {t.__name__ for t in CONDITIONS}
    assert set(CONDITIONS) == set(WITHIN_AGENTS)


def test_deleted_agents_are_hidden_from_everybody() -> None:
    boss = Caller(frozenset(Scope), None)
    assert boss.sees_all
    assert visible_to(Agent, boss) is ALWAYS[Agent]
    assert visible_to(Session, boss) is None
