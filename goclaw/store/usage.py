"""What runs cost: from the runs themselves and, once those are gone, from their days."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Uuid,
    any_,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlmodel import col

from goclaw.models.agents import Agent
from goclaw.models.runs import Run
from goclaw.models.traces import CostRow
from goclaw.models.usage import UsageDay
from goclaw.store.database import Reads
from goclaw.store.pages import between, equals_if_given
from goclaw.store.query import CALLER, CALLER_AGENTS, Query, Visible


def _of_own_agent(agent_id: Any) -> ColumnElement[bool]:
    """Also what others cost: an agent's owner sees its totals, never their contents. A key that
    is bound to agents sees those of its agents alone.
    """
    within = bindparam(CALLER_AGENTS, type_=ARRAY(Uuid))
    own = select(col(Agent.id)).where(
        col(Agent.owner_id) == bindparam(CALLER),
        or_(within.is_(None), col(Agent.id) == any_(within)),
    )
    return col(agent_id).in_(own)


def _ended(visible: Visible) -> Select[Any]:
    columns: tuple[Any, ...] = (
        col(Run.agent_id).label("agent_id"),
        col(Run.cost_usd).label("cost_usd"),
        col(Run.input_tokens).label("input_tokens"),
        col(Run.output_tokens).label("output_tokens"),
        literal(1).label("runs"),
    )
    return select(*columns).where(
        or_(visible(Run), _of_own_agent(Run.agent_id)),
        col(Run.status) != "running",
        equals_if_given(col(Run.agent_id), "agent_id"),
        between(col(Run.started_at)),
    )


def _days(visible: Visible) -> Select[Any]:
    columns: tuple[Any, ...] = (
        col(UsageDay.agent_id),
        col(UsageDay.cost_usd),
        col(UsageDay.input_tokens),
        col(UsageDay.output_tokens),
        col(UsageDay.runs),
    )
    return select(*columns).where(
        or_(visible(UsageDay), _of_own_agent(UsageDay.agent_id)),
        equals_if_given(col(UsageDay.agent_id), "agent_id"),
        between(col(UsageDay.day)),
    )


def _costs(visible: Visible) -> Select[Any]:
    used = union_all(_ended(visible), _days(visible)).subquery("used")
    cost = func.coalesce(func.sum(used.c.cost_usd), 0)
    grouped = select(
        used.c.agent_id,
        cost.label("cost_usd"),
        cast(func.sum(used.c.input_tokens), BigInteger).label("input_tokens"),
        cast(func.sum(used.c.output_tokens), BigInteger).label("output_tokens"),
        func.sum(used.c.runs).label("trace_count"),
    ).group_by(used.c.agent_id)
    return grouped.order_by(cost.desc(), used.c.agent_id)


COSTS = Query[CostRow](_costs)


async def costs_by_agent(
    reads: Reads, agent_id: UUID | None, since: datetime | None, until: datetime | None
) -> Sequence[CostRow]:
    """Dearest first; `since` is included, `until` is not. Of runs that are no longer kept whole
    days (UTC) are counted by their beginning.
    """
    return await COSTS.fetch(reads, agent_id=agent_id, since=since, until=until)
