"""Trees of tasks and agents that ask one another, through each door: what is said, told in order,
traced, paid and kept.
"""

from dataclasses import dataclass
from decimal import Decimal

import pytest

from goclaw.core.paging import PageRequest
from goclaw.models.delegations import LinkDirection
from goclaw.models.providers import ProviderPatch
from goclaw.models.runs import RunView
from goclaw.models.traces import SpanType
from goclaw.resolvers.providers import update_provider
from goclaw.resolvers.runs import list_runs
from goclaw.resolvers.sessions import list_messages
from goclaw.resolvers.traces import get_trace, list_child_traces, list_spans
from tests.jobs.firm import DOORS, Firm, Says, gives
from tests.upstream.script import Script, Usage

ORDER = """
    select kind, coalesce(payload ->> 'run_id', payload ->> 'id') as run_id, payload ->> 'call_id'
        as call_id
    from events where topic like 'run:%' or topic = 'delegation' order by xid, id
"""
BEGINS = {"chat": [], "message": [], "wake": ["run.queued"]}
"""What is told of a run before it starts, by the door it came in by."""


@dataclass
class Story:
    """What became of runs, each called by what it was asked."""

    firm: Firm

    async def runs(self) -> dict[str, RunView]:
        rows = (await list_runs(self.firm.ada, PageRequest(limit=20))).rows
        return {(await self.messages(run))[0][1]: run for run in rows}

    async def messages(self, run: RunView) -> list[tuple[str, str]]:
        assert run.session_id is not None
        page = await list_messages(self.firm.ada, run.session_id, PageRequest(limit=50))
        rows = sorted(page.rows, key=lambda row: row.seq)
        return [(row.role, row.content) for row in rows if row.run_id == run.id]

    async def told(self) -> list[str]:
        """Kinds of events in order, each behind the name of its run."""
        names = {str(run.id): name for name, run in (await self.runs()).items()}
        rows = await self.firm.server.services.database.pool.fetch(ORDER)
        return [f"{names[row.run_id]} {row.kind}" for row in rows]

    async def spans(self, run: RunView) -> list[tuple[str, str]]:
        rows = await list_spans(self.firm.ada.afresh(), run.trace_id)
        kept = [row for row in rows if row.span_type != SpanType.AGENT]
        return [(row.span_type, row.tool_name or "") for row in kept]

    async def cost(self, run: RunView) -> Decimal | None:
        return (await get_trace(self.firm.ada.afresh(), run.trace_id)).total_cost_usd


@pytest.fixture
async def story(firm: Firm) -> Story:
    """A read token costs half a cent, and a written one a whole."""
    prices = {"*": {"input_usd": 5_000, "output_usd": 10_000}}
    await update_provider(
        firm.ada, firm.provider.id, ProviderPatch(settings={"max_attempts": 1, "prices": prices})
    )
    return Story(firm)


def work_of(task: str, *inner: str) -> list[str]:
    """What is told of a run that gives one task and goes on with its result."""
    return [
        f"{task} run.started",
        f"{task} tool.call",
        *inner,
        f"{task} tool.result",
        f"{task} run.ended",
    ]


def answer(text: str) -> Script:
    return Script(text=text, usage=Usage(input=2, output=1))


@pytest.mark.parametrize("door", DOORS)
async def test_a_tree_of_copies(story: Story, door: str) -> None:
    firm = story.firm
    lead = await firm.hire("lead", "spawn", subagents_config={"max_spawn_depth": 2})

    def says(task: str, last: str) -> Script:
        if task == "Leaf." or "leaf" in last:
            return answer("A leaf." if task == "Leaf." else f"{task} saw a leaf")
        return gives("spawn", task="Leaf." if task == "Branch." else "Branch.", mode="sync")

    firm.says(says)
    assert await firm.ask(lead, door=door) == "Begin. saw a leaf"
    runs = await story.runs()
    assert await story.told() == [
        *(f"Begin. {kind}" for kind in BEGINS[door]),
        *work_of(
            "Begin.",
            "Branch. delegation.started",
            *work_of(
                "Branch.",
                "Leaf. delegation.started",
                "Leaf. run.started",
                "Leaf. run.ended",
                "Leaf. delegation.completed",
            ),
            "Branch. delegation.completed",
        ),
    ]
    assert await story.messages(runs["Leaf."]) == [("user", "Leaf."), ("assistant", "A leaf.")]
    said = await story.messages(runs["Branch."])
    assert [who for who, _ in said] == ["user", "assistant", "tool", "assistant"]
    assert "A leaf." in said[2][1]
    assert said[3][1] == "Branch. saw a leaf"

    await firm.server.services.traces.flush()
    for name, below in (("Begin.", "Branch."), ("Branch.", "Leaf.")):
        children = await list_child_traces(firm.ada.afresh(), runs[name].trace_id)
        assert [child.id for child in children] == [runs[below].trace_id]
        assert await story.spans(runs[name]) == [
            ("llm_call", ""),
            ("tool_call", "spawn"),
            ("llm_call", ""),
        ]
    assert await list_child_traces(firm.ada.afresh(), runs["Leaf."].trace_id) == []
    tasks = {task.task: task for task in await firm.tasks()}
    for name, task in tasks.items():
        assert task.status == "completed"
        assert task.cost_usd == runs[name].cost_usd == await story.cost(runs[name])
        assert (task.trace_id, task.run_id) == (runs[name].trace_id, runs[name].id)
    assert tasks["Leaf."].cost_usd == Decimal("0.02")
    assert tasks["Leaf."].result == "A leaf."


def asks(key: str, first: str) -> Says:
    """Whoever is told that asks the agent with that key, who knows nothing."""

    def says(task: str, last: str) -> Script:
        if task == last == first:
            return gives("delegate", agent=key, task=f"What is new, {key}?")
        return answer("Nothing." if task.startswith("What") else f"Heard: {last}")

    return says


@pytest.mark.parametrize("door", DOORS)
async def test_agents_that_ask_each_other(story: Story, door: str) -> None:
    """Over one link that leads both ways."""
    firm = story.firm
    one, two = await firm.hire("one", "delegate"), await firm.hire("two", "delegate")
    await firm.link(one, two, direction=LinkDirection.BIDIRECTIONAL)
    for asking, asked in ((one, two), (two, one)):
        text = f"Begin, {asking.key}."
        firm.says(asks(asked.key, text))
        assert "Nothing." in await firm.ask(asking, text, door=door)
    runs = await story.runs()
    told = await story.told()
    assert told == [
        line
        for asking, asked in (("one", "two"), ("two", "one"))
        for line in (
            *(f"Begin, {asking}. {kind}" for kind in BEGINS[door]),
            *work_of(
                f"Begin, {asking}.",
                f"What is new, {asked}? delegation.started",
                f"What is new, {asked}? run.started",
                f"What is new, {asked}? run.ended",
                f"What is new, {asked}? delegation.completed",
            ),
        )
    ]
    await firm.server.services.traces.flush()
    for source, target in ((one, two), (two, one)):
        question = f"What is new, {target.key}?"
        root, errand = runs[f"Begin, {source.key}."], runs[question]
        (child,) = await list_child_traces(firm.ada.afresh(), root.trace_id)
        assert child.id == errand.trace_id
        assert await story.spans(root) == [
            ("llm_call", ""),
            ("tool_call", "delegate"),
            ("llm_call", ""),
        ]
        (task,) = [task for task in await firm.tasks() if task.run_id == errand.id]
        assert (task.source_agent_id, task.target_agent_id) == (source.id, target.id)
        assert (task.status, task.result, task.mode) == ("completed", "Nothing.", "sync")
        assert task.cost_usd == errand.cost_usd == await story.cost(errand) == Decimal("0.02")
        assert await story.messages(errand) == [
            ("user", question),
            ("assistant", "Nothing."),
        ]
