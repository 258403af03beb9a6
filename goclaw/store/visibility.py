"""Who may see which row: one condition for each table, used by every read."""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    String,
    Uuid,
    and_,
    any_,
    cast,
    exists,
    false,
    literal,
    or_,
)
from sqlmodel import SQLModel, col

from goclaw.core.callers import Caller
from goclaw.models.activity import Activity
from goclaw.models.agents import Agent, AgentShare, ShareRole
from goclaw.models.api_keys import ApiKey
from goclaw.models.builtin_tools import BuiltinTool
from goclaw.models.context_files import AgentContextFile, AgentInstance, UserContextFile
from goclaw.models.cron import CronJob, CronRun
from goclaw.models.delegations import AgentLink, Delegation
from goclaw.models.providers import Provider
from goclaw.models.runs import Run
from goclaw.models.sessions import Message, Session
from goclaw.models.traces import Span, Trace
from goclaw.models.usage import UsageDay, UsageHour
from goclaw.models.web_sessions import WebSession


def shared_with(user: Any) -> ColumnElement[bool]:
    """Agents the user owns, was given, or gets by default."""
    shared = exists().where(
        col(AgentShare.agent_id) == col(Agent.id), col(AgentShare.user_id) == user
    )
    return or_(col(Agent.owner_id) == user, col(Agent.is_default), shared)


def _shares(user: Any) -> ColumnElement[bool]:
    """Those given to the user, and those of agents the user administers."""
    theirs = exists().where(col(Agent.id) == col(AgentShare.agent_id), col(Agent.owner_id) == user)
    return or_(col(AgentShare.user_id) == user, theirs)


def _messages(user: Any) -> ColumnElement[bool]:
    return exists().where(col(Session.id) == col(Message.session_id), col(Session.user_id) == user)


def _spans(user: Any) -> ColumnElement[bool]:
    return exists().where(col(Trace.id) == col(Span.trace_id), col(Trace.user_id) == user)


def _cron_runs(user: Any) -> ColumnElement[bool]:
    return exists().where(col(CronJob.id) == col(CronRun.job_id), col(CronJob.user_id) == user)


def _agent_links(user: Any) -> ColumnElement[bool]:
    ends = col(Agent.id).in_((col(AgentLink.source_agent_id), col(AgentLink.target_agent_id)))
    return exists().where(ends, col(Agent.owner_id) == user) | and_(
        exists().where(col(Agent.id) == col(AgentLink.source_agent_id), shared_with(user)),
        exists().where(col(Agent.id) == col(AgentLink.target_agent_id), shared_with(user)),
    )


def _administered(agent_id: Any, user: Any) -> ColumnElement[bool]:
    """Agents the user owns or administers by a share."""
    owned = exists().where(col(Agent.id) == agent_id, col(Agent.owner_id) == user)
    given = exists().where(
        col(AgentShare.agent_id) == agent_id,
        col(AgentShare.user_id) == user,
        col(AgentShare.role) == ShareRole.ADMIN,
    )
    return or_(owned, given)


def _own_or_administered(table: Any) -> Callable[[Any], ColumnElement[bool]]:
    return lambda user: or_(table.user_id == user, _administered(table.agent_id, user))


CONDITIONS: Final[dict[type[SQLModel], Callable[[Any], ColumnElement[bool] | None]]] = {
    Agent: shared_with,
    AgentShare: _shares,
    Session: lambda user: col(Session.user_id) == user,
    Message: _messages,
    Run: lambda user: col(Run.user_id) == user,
    Trace: lambda user: col(Trace.user_id) == user,
    Span: _spans,
    UsageDay: lambda user: col(UsageDay.user_id) == user,
    UsageHour: lambda user: col(UsageHour.user_id) == user,
    Activity: lambda user: col(Activity.actor_id) == user,
    WebSession: lambda user: col(WebSession.user_id) == user,
    CronJob: lambda user: col(CronJob.user_id) == user,
    CronRun: _cron_runs,
    AgentLink: _agent_links,
    Delegation: lambda user: col(Delegation.user_id) == user,
    AgentContextFile: lambda user: _administered(col(AgentContextFile.agent_id), user),
    UserContextFile: _own_or_administered(UserContextFile),
    AgentInstance: _own_or_administered(AgentInstance),
    Provider: lambda _: None,
    ApiKey: lambda _: None,
    BuiltinTool: lambda _: None,
}
"""Providers, keys and tools have no owner: the scope of their operations guards them."""


def _of_session(agents: Any) -> ColumnElement[bool]:
    return exists().where(
        col(Session.id) == col(Message.session_id), col(Session.agent_id) == any_(agents)
    )


def _of_trace(agents: Any) -> ColumnElement[bool]:
    return exists().where(col(Trace.id) == col(Span.trace_id), col(Trace.agent_id) == any_(agents))


def _of_cron_job(agents: Any) -> ColumnElement[bool]:
    of_job = col(CronJob.id) == col(CronRun.job_id)
    return exists().where(of_job, col(CronJob.agent_id) == any_(agents))


WITHIN_AGENTS: Final[dict[type[SQLModel], Callable[[Any], ColumnElement[bool] | None]]] = {
    Agent: lambda agents: col(Agent.id) == any_(agents),
    AgentShare: lambda agents: col(AgentShare.agent_id) == any_(agents),
    Session: lambda agents: col(Session.agent_id) == any_(agents),
    Message: _of_session,
    Run: lambda agents: col(Run.agent_id) == any_(agents),
    Trace: lambda agents: col(Trace.agent_id) == any_(agents),
    Span: _of_trace,
    UsageDay: lambda agents: col(UsageDay.agent_id) == any_(agents),
    UsageHour: lambda agents: col(UsageHour.agent_id) == any_(agents),
    Activity: lambda agents: col(Activity.entity_id) == any_(cast(agents, ARRAY(String))),
    WebSession: lambda _: false(),
    CronJob: lambda agents: col(CronJob.agent_id) == any_(agents),
    CronRun: _of_cron_job,
    AgentLink: lambda agents: or_(
        col(AgentLink.source_agent_id) == any_(agents),
        col(AgentLink.target_agent_id) == any_(agents),
    ),
    Delegation: lambda agents: col(Delegation.source_agent_id) == any_(agents),
    AgentContextFile: lambda agents: col(AgentContextFile.agent_id) == any_(agents),
    UserContextFile: lambda agents: col(UserContextFile.agent_id) == any_(agents),
    AgentInstance: lambda agents: col(AgentInstance.agent_id) == any_(agents),
    Provider: lambda _: None,
    ApiKey: lambda _: None,
    BuiltinTool: lambda _: None,
}
"""Conditions that hold besides for keys bound to agents. Pages are of no agent, and may be signed
in with more than such a key.
"""


ALWAYS: Final[dict[type[SQLModel], ColumnElement[bool]]] = {
    Agent: col(Agent.deleted_at).is_(None),
}
"""Conditions that hold for every caller."""


def visible_to_all(table: type[SQLModel]) -> ColumnElement[bool] | None:
    """The condition for callers who see all; None means every row."""
    return ALWAYS.get(table)


def visible_to_user(table: type[SQLModel], user: Any) -> ColumnElement[bool] | None:
    """`user` is a user id or a bound parameter; None as a condition means every row."""
    conditions = [c for c in (ALWAYS.get(table), CONDITIONS[table](user)) if c is not None]
    return and_(*conditions) if conditions else None


def within_agents(table: type[SQLModel], agents: Any) -> ColumnElement[bool] | None:
    """`agents` is an array of ids or a bound parameter."""
    return WITHIN_AGENTS[table](agents)


def visible_to(table: type[SQLModel], caller: Caller) -> ColumnElement[bool] | None:
    conditions = [
        visible_to_all(table) if caller.sees_all else visible_to_user(table, caller.user_id)
    ]
    if caller.agent_ids is not None:
        agents = literal(list(caller.agent_ids), ARRAY(Uuid))
        conditions.append(within_agents(table, agents))
    given = [condition for condition in conditions if condition is not None]
    return and_(*given) if given else None
