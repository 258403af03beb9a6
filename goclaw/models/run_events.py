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
class RunEnded:
    """`message` is the answer, if there was one."""

    cursor: str
    run: RunView
    message: Message | None


RunEvent = RunStarted | RunText | RunEnded
