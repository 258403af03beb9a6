"""Context files as the file tools see them: names that lead to the database, not to a folder."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from goclaw.core.context_files import NAMES
from goclaw.tools.paths import PathRefused, parts_of
from goclaw.tools.tool import ToolContext

BY_FOLDED: Final = {name.casefold(): name for name in NAMES}


class OwnFiles(Protocol):
    """The files of one agent for one user. Raises GatewayError."""

    def readable(self) -> Mapping[str, str]:
        """The texts that may be read, by name."""
        ...

    def read(self, name: str) -> str | None:
        """None for one that is not there. Raises Forbidden for one that is not to be read."""
        ...

    async def change(self, name: str, change: Callable[[str | None], str]) -> None:
        """`change` makes the new text of the old one, None where there is none; empty it is
        removed. Nobody else writes in between. Raises Forbidden for one that is not to be
        written, InvalidInput for one that is too long, and whatever `change` raises.
        """
        ...


class ContextFiles(Protocol):
    async def of(self, ctx: ToolContext) -> OwnFiles | None:
        """None for an agent that uses none: then these names mean files of its workspace."""
        ...


class NoContextFiles:
    """No agent uses any."""

    async def of(self, ctx: ToolContext) -> OwnFiles | None:
        return None


def context_file(path: str) -> str | None:
    """The name of the context file that a path means, if it does: in upper or lower case."""
    try:
        parts = parts_of(path)
    except PathRefused:
        return None
    return BY_FOLDED.get(parts[0].casefold()) if len(parts) == 1 else None


def is_top(path: str) -> bool:
    """Whether a path means the workspace as a whole."""
    try:
        return not parts_of(path)
    except PathRefused:
        return False
