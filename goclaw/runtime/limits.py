"""How far a run may go."""

from dataclasses import dataclass

from goclaw.core.settings import Settings


@dataclass(frozen=True, slots=True)
class Limits:
    """Of each run. How often its model may call tools is its agent's to say."""

    tool_calls: int
    time_s: float
    tools_at_once: int

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        return cls(
            tool_calls=settings.run_tool_calls,
            time_s=settings.run_time_s,
            tools_at_once=settings.tools_at_once,
        )
