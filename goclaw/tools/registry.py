"""All tools of this server, and which of them a run gets."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from goclaw.core.tool_names import PROFILE_ENTRIES
from goclaw.store.targets import Target
from goclaw.tools.policy import Layer, Policy
from goclaw.tools.tool import Tool
from goclaw.tools.toolbox import Inspect, Toolbox

log = structlog.get_logger()

Enabled = Callable[[], Awaitable[Collection[str]]]
"""Names of the tools that administrators have switched on."""
Again = Callable[[Target, str], Awaitable[Target | None]]
"""The agent as it is now, seen by a user; None when it is not there for the user any more."""
Limits = Callable[[Target, str], Awaitable[Sequence[Layer]]]
"""What a group or a user is held to besides."""

Count = Callable[[str], Awaitable[str | None]]
"""Counts one call for a user; why there may be none more, in words for the model."""

OFF: Final = "{name} is switched off on this server."
DENIED: Final = "{name} may not be used here."


async def no_limits(_: Target, __: str) -> Sequence[Layer]:
    return ()


@dataclass(frozen=True, slots=True)
class Rules:
    """What the gateway says: the profile of agents that name none, and what nobody gets."""

    profile: str
    denies: tuple[str, ...] = ()

    @property
    def layer(self) -> Layer:
        return Layer(picks=(PROFILE_ENTRIES[self.profile],), denies=self.denies)


@dataclass(frozen=True, slots=True)
class Checks:
    """What looks at results, and what counts calls."""

    inspect: Inspect
    count: Count


class ToolRegistry:
    """`facilities` are what is there for tools to use; a tool that requires another is neither
    offered nor called. `checks` see every result, and count every call that is allowed.
    `enabled` and `again` are asked when a run begins and at each call, so
    they had better remember; neither is asked for agents that have no tools.
    """

    def __init__(
        self,
        tools: Iterable[Tool],
        *,
        facilities: Collection[str],
        rules: Rules,
        scrub: Callable[[str], str],
        enabled: Enabled,
        again: Again,
        checks: Checks,
        limits: Limits = no_limits,
    ) -> None:
        self.tools: Mapping[str, Tool] = {
            tool.name: tool for tool in sorted(tools, key=lambda tool: tool.name)
        }
        self._facilities = frozenset(facilities)
        self._default = rules.layer
        self._unchosen = Policy.for_agent(self._default, {}, "")
        self._scrub = scrub
        self._enabled = enabled
        self._again = again
        self._checks = checks
        self._limits = limits

    def missing(self, name: str) -> tuple[str, ...]:
        """What a tool requires and is not there."""
        return tuple(part for part in self.tools[name].requires if part not in self._facilities)

    async def toolbox(self, agent: Target, user_id: str) -> Toolbox | None:
        """What the agent may use in the name of that user; None for an agent without tools."""
        policy = await self._policy(agent, user_id)
        if policy is None:
            return None
        enabled = await self._enabled()
        given = [
            tool
            for name, tool in self.tools.items()
            if policy.permits(name)
            and name in enabled
            and not self.missing(name)
            and tool.helps(agent)
        ]
        if not given:
            return None

        async def refusal(name: str) -> str | None:
            return await self._refusal(agent, user_id, name)

        return Toolbox(given, self._scrub, refusal, self._checks.inspect)

    async def _refusal(self, agent: Target, user_id: str, name: str) -> str | None:
        """By what holds at this moment, which may be another than when the run began."""
        if name not in await self._enabled():
            return OFF.format(name=name)
        now = await self._again(agent, user_id)
        policy = None if now is None else await self._policy(now, user_id)
        if policy is None or not policy.permits(name):
            return DENIED.format(name=name)
        return await self._checks.count(user_id)

    async def _policy(self, agent: Target, user_id: str) -> Policy | None:
        """None for what gives nothing, also for a configuration that cannot be read."""
        policy = self._chosen(agent)
        if policy is None or policy.gives_nothing:
            return None
        limits = await self._limits(agent, user_id)
        return Policy(policy.choices, (*policy.limits, *limits)) if limits else policy

    def _chosen(self, agent: Target) -> Policy | None:
        """What gateway and agent say. Most agents say nothing, and a chat call need not check
        that anew.
        """
        if not agent.tools_config:
            return self._unchosen
        try:
            return Policy.for_agent(self._default, agent.tools_config, agent.provider.name)
        except ValueError as error:
            log.warning("tools_config.unreadable", agent=agent.key, reason=str(error))
            return None
