from collections.abc import AsyncIterator
from typing import Final

from goclaw.core.callers import Caller, Scope
from goclaw.core.errors import InvalidInput
from goclaw.core.reasons import Reason
from goclaw.events.row import EventRow
from goclaw.models.events import Audience
from goclaw.resolvers.context import Context
from goclaw.resolvers.operation import stream
from goclaw.store.agents import may_see_agent

MAX_TOPICS = 100
LEFT: Final = {"agent.unshared": "with_user", "agent.transferred": "from_user"}
"""By which events somebody may have lost sight of an agent, and where their payload says who."""


@stream(Scope.READ)
async def watch_events(
    ctx: Context, topics: list[str] | None = None, after: str | None = None
) -> AsyncIterator[EventRow]:
    """Domain changes and runs that the caller may see: those after the cursor, in order, then
    each as it comes. A topic is an entity (`agent`, `provider`, `api_key`, `session`,
    `user`) or `run:<id>`; none means all.

    Raises InvalidInput for a bad cursor; RateLimited for a reader that is too slow, who resumes
    with the last cursor; Unavailable when the server stops.
    """
    if topics is not None and len(topics) > MAX_TOPICS:
        raise InvalidInput(
            "invalid_input", field="topics", reason=Reason("at_most", limit=MAX_TOPICS)
        )
    caller = ctx.caller
    async with ctx.services.hub.subscribe(topics, after, lambda e: _concerns(caller, e)) as told:
        async for event in told:
            if await _may_see(ctx, event):
                yield event


def _concerns(caller: Caller, event: EventRow) -> bool:
    """What can be told without asking the database; events of agents are asked for later."""
    if event.audience != Audience.ALL and not caller.reaches(event.agent_id):
        return False
    if caller.sees_all or event.audience == Audience.ALL:
        return True
    if event.audience == Audience.ADMIN:
        return Scope.ADMIN in caller.scopes
    if event.audience == Audience.AGENT:
        return True
    return event.user_id is not None and event.user_id == caller.user_id


async def _may_see(ctx: Context, event: EventRow) -> bool:
    """Shares are looked up for each event, so that a change of them counts at once. That it is
    gone is told to whoever saw it until then.
    """
    if event.audience != Audience.AGENT or ctx.caller.sees_all or event.agent_id is None:
        return True
    if _is_left(ctx.caller, event):
        return True
    return await may_see_agent(ctx.reads, event.agent_id)


def _is_left(caller: Caller, event: EventRow) -> bool:
    if event.kind not in LEFT or caller.user_id is None:
        return False
    return bool(event.payload.get(LEFT[event.kind]) == caller.user_id)
