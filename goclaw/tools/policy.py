"""Which tools an agent may use: a choice, narrowed by limits, and what is denied is denied."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from goclaw.core.tool_names import PROFILE_ENTRIES, matches
from goclaw.core.tools_config import ToolRules, read_tools_config

Entries = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """What one place says. `picks` are lists a tool has to be in, each of them; none at all says
    nothing. `adds` are had besides, `denies` never.
    """

    picks: tuple[Entries, ...] = ()
    adds: Entries = ()
    denies: Entries = ()

    @classmethod
    def of(cls, rules: ToolRules) -> Self:
        """A profile and an `allow` beside it are both to hold."""
        picks = () if rules.profile is None else (PROFILE_ENTRIES[rules.profile],)
        if rules.allow is not None:
            picks = (*picks, tuple(rules.allow))
        return cls(picks, tuple(rules.also_allow), tuple(rules.deny))

    def picks_name(self, name: str) -> bool:
        return all(_in(entries, name) for entries in self.picks)


@dataclass(frozen=True, slots=True)
class Policy:
    """`choices` go from the gateway's to the agent's own: the last that picks anything counts,
    and what is added from there on. `limits` narrow it, and never add: of a provider, a group,
    a user. A denial anywhere beats everything.
    """

    choices: tuple[Layer, ...]
    limits: tuple[Layer, ...] = ()

    @classmethod
    def for_agent(
        cls,
        default: Layer,
        config: Mapping[str, Any],
        provider: str,
        limits: Iterable[Layer] = (),
    ) -> Self:
        """`config` is the agent's `tools_config`. Raises ValueError for one that was never
        checked, so that a mistake in it opens nothing.
        """
        own = read_tools_config(config)
        by_provider = own.by_provider.get(provider)
        narrowed = () if by_provider is None else (Layer.of(by_provider),)
        return cls((default, Layer.of(own)), (*narrowed, *limits))

    def permits(self, name: str) -> bool:
        if any(_in(layer.denies, name) for layer in (*self.choices, *self.limits)):
            return False
        return self._chosen(name) and all(layer.picks_name(name) for layer in self.limits)

    def _chosen(self, name: str) -> bool:
        for layer in reversed(self.choices):
            if _in(layer.adds, name):
                return True
            if layer.picks:
                return layer.picks_name(name)
        return False

    @property
    def gives_nothing(self) -> bool:
        """Whatever tools there are. An empty profile that nothing is added to."""
        for layer in reversed(self.choices):
            if layer.adds:
                return False
            if layer.picks:
                return () in layer.picks
        return True


def _in(entries: Entries, name: str) -> bool:
    return any(matches(entry, name) for entry in entries)
