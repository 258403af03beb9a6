"""What of a session its model is told when the server goes on with it by itself."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from goclaw.models.compaction import Compaction
from goclaw.models.pruning import Pruning
from goclaw.models.sessions import Message, Session
from goclaw.providers.messages import ModelMessage
from goclaw.runtime.compaction import as_message
from goclaw.runtime.history import taken_up
from goclaw.runtime.pruning import pruned
from goclaw.store.targets import Target

log = structlog.get_logger()

HISTORY_LIMIT: Final = 200
"""Messages, where the agent does not say."""
R = TypeVar("R", bound=BaseModel)


def history_limit(agent: Target) -> int:
    return agent.history_limit or HISTORY_LIMIT


def context_of(agent: Target, session: Session, rows: Sequence[Message]) -> list[ModelMessage]:
    """The summary, if there is one, and the messages after it: calls with their results, old
    results shortened as the agent has it. It begins with a word of the user.
    """
    told = taken_up(row for row in rows if row.seq > session.summary_seq)
    begin = next((place for place, message in enumerate(told) if message.role == "user"), 0)
    told = pruned(told[begin:], agent.context_window, rules_of(Pruning, agent.context_pruning))
    return [as_message(session.summary), *told] if session.summary else told


def compaction_of(agent: Target) -> Compaction:
    return rules_of(Compaction, agent.compaction_config)


def rules_of(kind: type[R], config: dict[str, Any] | None) -> R:
    """They were checked when they were written, though perhaps by an older server."""
    try:
        return kind.model_validate(config or {})
    except ValidationError as error:
        log.warning("agent.rules_invalid", rules=kind.__name__, problems=error.error_count())
        return kind()
