"""The scenarios: what the model does, what happens meanwhile, what is to come of it.

Messages are pairs of who spoke and what: a call is `<its id>` behind the text, a result is spoken
by its call. Each model call has `Usage()` unless it says otherwise, so it costs 7 cents.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from goclaw.models.agents import AgentView
from goclaw.runtime.history import UNKNOWN
from tests.doors.calling import CANCEL, SEND
from tests.scenarios.stage import LIMIT_S, Stage
from tests.upstream import Script, Usage, call

Pairs = list[tuple[str, str]]
Meanwhile = Callable[[Stage, AgentView], Awaitable[None]]


async def nothing(_: Stage, __: AgentView) -> None:
    """Nobody interferes."""


async def let_go(stage: Stage, _: AgentView) -> None:
    await tool_at_work(stage)
    stage.bench.gate.set()


async def inject(stage: Stage, agent: AgentView) -> None:
    await tool_at_work(stage)
    said = {"sessionId": (await stage.newest(agent))["sessionId"], "text": "In Oslo, too."}
    assert (await stage.ada.graphql(SEND, input=said)).error is None
    stage.bench.gate.set()


async def cancel(stage: Stage, agent: AgentView) -> None:
    await tool_at_work(stage)
    run = await stage.newest(agent)
    assert (await stage.ada.graphql(CANCEL, input={"runId": run["id"]})).error is None


async def tool_at_work(stage: Stage) -> None:
    async with asyncio.timeout(LIMIT_S):
        await stage.bench.started.wait()


@dataclass(frozen=True)
class Scenario:
    """`messages` are those of the run without the question; `told` is what a gateway that
    remembers tells the model at the next turn instead of them, where that is something else.
    `counted` are model calls, tokens read and written. A wake is answered with the last message,
    whoever listens with all that was said: the `answer`.
    """

    name: str
    script: tuple[Script, ...]
    messages: Pairs
    events: list[str]
    spans: list[tuple[str, str, str]]
    counted: tuple[int, int, int]
    answer: str
    code: str | None = None
    status: str = "COMPLETED"
    meanwhile: Meanwhile = nothing
    limits: dict[str, Any] = field(default_factory=dict)
    told: Pairs | None = None
    turns_before: int = 0
    summary: Script | None = None


def asks(status: str = "completed") -> tuple[str, str, str]:
    return "asks", "scripted-1", status


def calls(name: str, status: str = "completed") -> tuple[str, str, str]:
    return "calls", name, status


CIRCLE = tuple(Script(calls=(call("weather", f"call_{n}"),)) for n in range(1, 6))
LOOK = Script(calls=(call("weather", city="Rome"),), said_before="Let me look.")
LOOKED: Pairs = [("assistant", "Let me look. <call_1>"), ("call_1", "Sunny in Rome.")]
STEP = ["tool.call call_1", "tool.result call_1"]

SCENARIOS = (
    Scenario(
        "three tools in parallel",
        (
            Script(
                calls=(
                    call("wait", "call_1", city="Rome"),
                    call("weather", "call_2", city="Oslo"),
                    call("weather", "call_3", city="Bern"),
                ),
                said_before="Let me look.",
            ),
            Script(text="Sunny."),
        ),
        meanwhile=let_go,
        messages=[
            ("assistant", "Let me look. <call_1> <call_2> <call_3>"),
            ("call_1", "Waited in Rome."),
            ("call_2", "Sunny in Oslo."),
            ("call_3", "Sunny in Bern."),
            ("assistant", "Sunny."),
        ],
        events=[
            *(f"tool.call call_{n}" for n in (1, 2, 3)),
            *(f"tool.result call_{n}" for n in (1, 2, 3)),
        ],
        spans=[asks(), calls("wait"), calls("weather"), calls("weather"), asks()],
        counted=(2, 24, 14),
        answer="Let me look.\n\nSunny.",
    ),
    Scenario(
        "a tool that fails",
        (Script(calls=(call("broken"), call("refuses", "call_2"))), Script(text="Neither works.")),
        messages=[
            ("assistant", "<call_1> <call_2>"),
            ("call_1", "broken failed."),
            ("call_2", "Paris is closed."),
            ("assistant", "Neither works."),
        ],
        told=[
            ("assistant", "<call_1> <call_2>"),
            ("call_1", "Error: broken failed."),
            ("call_2", "Error: Paris is closed."),
            ("assistant", "Neither works."),
        ],
        events=[
            "tool.call call_1",
            "tool.call call_2",
            "tool.result call_1",
            "tool.result call_2",
        ],
        spans=[asks(), calls("broken", "error"), calls("refuses", "error"), asks()],
        counted=(2, 24, 14),
        answer="Neither works.",
    ),
    Scenario(
        "a tool that hangs",
        (Script(calls=(call("slow"),)), Script(text="It takes too long.")),
        messages=[
            ("assistant", "<call_1>"),
            ("call_1", "slow did not finish within 0.05 s and was stopped."),
            ("assistant", "It takes too long."),
        ],
        told=[
            ("assistant", "<call_1>"),
            ("call_1", "Error: slow did not finish within 0.05 s and was stopped."),
            ("assistant", "It takes too long."),
        ],
        events=STEP,
        spans=[asks(), calls("slow", "error"), asks()],
        counted=(2, 24, 14),
        answer="It takes too long.",
    ),
    Scenario(
        "a loop",
        (*CIRCLE, Script(text="I went round in circles.")),
        messages=[
            *(
                pair
                for n in range(1, 6)
                for pair in (("assistant", f"<call_{n}>"), (f"call_{n}", "Sunny in Paris."))
            ),
            ("assistant", "I went round in circles."),
        ],
        events=[f"tool.{what} call_{n}" for n in range(1, 6) for what in ("call", "result")],
        spans=[*[step for _ in range(5) for step in (asks(), calls("weather"))], asks()],
        counted=(6, 72, 42),
        answer="I went round in circles.",
    ),
    Scenario(
        "a cut-off answer",
        (
            Script(calls=(call("weather"),), said_before="Let me look.", finish="length"),
            Script(text="In short: sunny."),
        ),
        messages=[("assistant", "Let me look."), ("assistant", "In short: sunny.")],
        events=[],
        spans=[asks(), asks()],
        counted=(2, 24, 14),
        answer="Let me look.\n\nIn short: sunny.",
    ),
    Scenario(
        "429, then success",
        (
            Script(status=429, message="slow down", headers=(("Retry-After", "0"),)),
            Script(text="Here I am."),
        ),
        messages=[("assistant", "Here I am.")],
        events=["run.retrying"],
        spans=[asks()],
        counted=(1, 12, 7),
        answer="Here I am.",
    ),
    Scenario(
        "a cut stream",
        (LOOK, Script(text="It is sunny today.", deltas=3, cut_after=2)),
        messages=[*LOOKED, ("assistant", "It is sunny ")],
        events=STEP,
        spans=[asks(), calls("weather"), asks("error")],
        counted=(2, 12, 7),
        answer="Let me look.\n\nIt is sunny ",
        code="upstream_cut",
        status="ERROR",
    ),
    Scenario(
        "an injected message",
        (Script(calls=(call("wait", city="Rome"),)), Script(text="Sunny in both.")),
        meanwhile=inject,
        messages=[
            ("assistant", "<call_1>"),
            ("call_1", "Waited in Rome."),
            ("user", "In Oslo, too."),
            ("assistant", "Sunny in both."),
        ],
        events=["tool.call call_1", "run.injected", "tool.result call_1"],
        spans=[asks(), calls("wait"), asks()],
        counted=(2, 24, 14),
        answer="Sunny in both.",
    ),
    Scenario(
        "cancel",
        (Script(calls=(call("wait", city="Rome"),), said_before="Let me look."),),
        meanwhile=cancel,
        messages=[("assistant", "Let me look. <call_1>")],
        told=[("assistant", "Let me look. <call_1>"), ("call_1", f"Error: {UNKNOWN}")],
        events=["tool.call call_1"],
        spans=[asks(), calls("wait", "cancelled")],
        counted=(1, 12, 7),
        answer="Let me look.",
        code="run_cancelled",
        status="CANCELLED",
    ),
    Scenario(
        "budget reached",
        (LOOK,),
        messages=LOOKED,
        events=STEP,
        spans=[asks(), calls("weather")],
        counted=(1, 12, 7),
        answer="Let me look.",
        code="agent_cents_spent",
        status="ERROR",
        limits={"budget_monthly_cents": 7},
    ),
    Scenario(
        "60 turns, then a summary",
        (Script(text="Answer 60.", usage=Usage(9000, 10)),),
        messages=[("assistant", "Answer 60.")],
        events=[],
        spans=[asks()],
        counted=(1, 9000, 10),
        answer="Answer 60.",
        limits={"context_window": 10_000},
        turns_before=59,
        summary=Script(text="They counted.", usage=Usage(500, 20)),
        told=[
            ("system", "[Summary of the conversation so far]\nThey counted."),
            ("user", "Turn 59"),
            ("assistant", "Answer 59."),
            ("user", "What is it like?"),
            ("assistant", "Answer 60."),
        ],
    ),
)
