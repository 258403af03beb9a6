"""What following a run gives: how it began, what it says, how it ended."""

from dataclasses import dataclass

from goclaw.models.runs import RunView
from goclaw.models.sessions import Message


@dataclass(frozen=True, slots=True)
class RunStarted:
    """`cursor` is what to give as `after` when following again."""

    cursor: str
    run: RunView


@dataclass(frozen=True, slots=True)
class RunText:
    """`offset` counts the characters before `text`; 0 begins the answer anew."""

    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class RunThinking:
    """`offset` counts the characters of thinking before `text` in the same model call; 0 begins
    it anew. `answer_offset` counts those of the answer before it.
    """

    offset: int
    text: str
    answer_offset: int


@dataclass(frozen=True, slots=True)
class RunToolCall:
    """`offset` counts the characters of the answer before it; `arguments` is JSON text, at most
    1,000 characters of it.
    """

    cursor: str
    call_id: str
    name: str
    arguments: str
    offset: int


@dataclass(frozen=True, slots=True)
class RunToolResult:
    """`text` is at most 1,000 characters of it; `duration_ms` is how long the call took."""

    cursor: str
    call_id: str
    name: str | None
    is_error: bool
    text: str
    duration_ms: int | None


@dataclass(frozen=True, slots=True)
class RunInjected:
    """The user said something while the run was busy; `text` is at most 1,000 characters of it."""

    cursor: str
    text: str


@dataclass(frozen=True, slots=True)
class RunRetrying:
    """A model call failed with `error_code`, and in `wait_ms` another one is made: the
    `attempt`th of at most `max_attempts` of its provider.
    """

    cursor: str
    provider: str
    model: str
    attempt: int
    max_attempts: int
    error_code: str
    wait_ms: int


@dataclass(frozen=True, slots=True)
class RunEnded:
    """`message` is the answer, if there was one."""

    cursor: str
    run: RunView
    message: Message | None


RunEvent = (
    RunStarted
    | RunText
    | RunThinking
    | RunToolCall
    | RunToolResult
    | RunInjected
    | RunRetrying
    | RunEnded
)
