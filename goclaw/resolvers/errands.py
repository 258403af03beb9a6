"""Runs that carry out the task of another: what they are told, and what they may not do."""

from typing import Final

from goclaw.core.callers import system_caller
from goclaw.models.delegations import MAX_DEPTH, Delegation, DelegationKind, Subagents, path_of
from goclaw.models.shapes import now
from goclaw.providers.messages import ModelMessage
from goclaw.resolvers.services import Services
from goclaw.runtime.live import Errand, Turn
from goclaw.runtime.prompt import system_prompt
from goclaw.store.delegations import delegation_of_run
from goclaw.tools.delegation import GIVING

SUBAGENT: Final = "subagent"
DELEGATED: Final = "delegate"
ANNOUNCE: Final = "announce"
"""Channels: of copies at work, of other agents at work, and of runs that are told results."""

CHANNELS: Final = {DelegationKind.SPAWN: SUBAGENT, DelegationKind.DELEGATE: DELEGATED}
DENIED: Final = frozenset({
    "session_status",
    "sessions_send",
    "cron",
    "message",
    "memory_search",
    "memory_get",
    "workspace_write",
    "workspace_read",
})  # fmt: skip
"""What copies never have, whatever their agent has."""
DEEPEST: Final = frozenset({*GIVING, "sessions_list", "sessions_history"})
"""Nor have those that may not give tasks themselves."""

ROLE: Final = """# Sub-agent
You work on one task for another run of yours, which sees nothing but your last message: let that
be the whole result. Nobody can answer questions; where something is unclear, decide and say how."""
ASKED: Final = """# Task
Another agent asks you this, not the user. It sees nothing but your last message: let that be the
whole result. Nobody can answer questions; where something is unclear, decide and say how."""


def subagents_of(config: dict[str, object] | None) -> Subagents:
    return Subagents.model_validate(config or {})


def equip(turn: Turn, task: Delegation) -> None:
    """Makes a turn of the target's one that carries out the task."""
    path = path_of(task.path)
    rules = subagents_of(turn.agent.subagents_config)
    copies = task.kind == DelegationKind.SPAWN
    turn.errand = Errand(task.id, path, task.root_run_id)
    turn.run_id = task.run_id
    turn.parent_trace_id = task.parent_trace_id
    if copies:
        turn.request.model = task.model or rules.model or turn.request.model
    if turn.toolbox is not None:
        denied = DENIED if copies else frozenset()
        if task.depth >= MAX_DEPTH or (copies and task.spawn_depth >= rules.max_spawn_depth):
            denied |= DEEPEST
        turn.toolbox = turn.toolbox.without(denied)
    _instruct(turn, ROLE if copies else ASKED)


def mute(turn: Turn) -> None:
    """A run that is told results gives no more tasks: else it might go on for ever."""
    if turn.toolbox is not None:
        turn.toolbox = turn.toolbox.without(GIVING)
        _instruct(turn)


async def equip_queued(services: Services, turn: Turn, channel: str) -> None:
    """The same for a run that waited in the queue, or was left by another worker. `turn.run_id`
    names it.
    """
    if channel == ANNOUNCE:
        mute(turn)
    if channel not in CHANNELS.values() or turn.run_id is None:
        return
    async with services.database.begin(system_caller()) as db:
        task = await delegation_of_run(db, turn.run_id)
    if task is not None:
        equip(turn, task)


def _instruct(turn: Turn, *texts: str) -> None:
    """Tells of the tools that are left, and of these texts."""
    told = turn.agent.system_prompt
    if turn.toolbox is not None or turn.files is not None:
        told = system_prompt(turn.agent, turn.toolbox, now().date(), turn.files)
    prompt = "\n\n".join(filter(None, (told, *texts)))
    rest = turn.request.messages
    if rest[0].role == "system":
        rest = rest[1:]
    turn.request.messages = [*([ModelMessage("system", prompt)] if prompt else []), *rest]
