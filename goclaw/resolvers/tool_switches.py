"""Which built-in tools are switched on, and how they are set up, remembered between calls."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

import orjson
from pydantic import BaseModel

from goclaw.core.clock import clock_s
from goclaw.models.sealed import SealedColumn
from goclaw.security.vault import Vault
from goclaw.store.builtin_tools import builtin_tools
from goclaw.store.database import Reads

M = TypeVar("M", bound=BaseModel)

TOOL_SWITCHES: Final = "builtin_tools"
"""What this cache is called where it is told to forget."""
KNOWN_S: Final = 60.0
"""For rows that somebody changes past the server."""


class Switch(NamedTuple):
    """`secrets` is sealed."""

    id: UUID
    enabled: bool
    settings: dict[str, Any]
    secrets: str | None


class ToolSwitches:
    """One small statement reads them all. `trusted` says whether what is remembered may be used
    at this moment (`Trust.holds`).
    """

    def __init__(self, reads: Reads, vault: Vault, trusted: Callable[[], bool]) -> None:
        self._reads = reads
        self._vault = vault
        self._trusted = trusted
        self._known: Mapping[str, Switch] | None = None
        self._until = 0.0
        self._generation = 0

    async def enabled(self) -> Collection[str]:
        return {name for name, switch in (await self.read()).items() if switch.enabled}

    async def settings_of(self, name: str, shape: type[M]) -> M:
        """With their secrets; the shape's own where nothing was set. Raises Unavailable without
        the key they were sealed with.
        """
        switch = (await self.read()).get(name)
        if switch is None:
            return shape()
        return shape.model_validate(switch.settings | opened(self._vault, switch))

    async def read(self) -> Mapping[str, Switch]:
        if self._known is not None and self._trusted() and clock_s() < self._until:
            return self._known
        generation, asked = self._generation, clock_s()
        known = {
            row.name: Switch(row.id, row.enabled, row.settings, row.secrets)
            for row in await builtin_tools(self._reads)
        }
        if generation == self._generation:
            self._known, self._until = known, asked + KNOWN_S
        return known

    def forget(self, _: Collection[str] | None) -> None:
        """All of them; what is being read at the time is not kept either."""
        self._generation += 1
        self._known = None


def opened(vault: Vault, switch: Switch) -> dict[str, str]:
    """Raises Unavailable."""
    if switch.secrets is None:
        return {}
    secrets: dict[str, str] = orjson.loads(
        vault.open(switch.secrets, SealedColumn.TOOL_SECRETS, switch.id)
    )
    return secrets
