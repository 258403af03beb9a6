"""Which tools a run has."""

from typing import Protocol

from goclaw.store.targets import Target
from goclaw.tools.toolbox import Toolbox


class Toolboxes(Protocol):
    async def toolbox(self, agent: Target, user_id: str) -> Toolbox | None:
        """What the agent may use in the name of that user; None for an agent without tools, whose
        model is then asked once and no more.
        """
        ...


class NoTools:
    """No agent has tools."""

    async def toolbox(self, agent: Target, user_id: str) -> Toolbox | None:
        return None
