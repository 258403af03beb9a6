"""Copies that an agent has work: waited for, told of later, limited, read as a tree."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from goclaw.core.errors import BudgetExceeded
from goclaw.core.paging import PageRequest
from goclaw.models.chat import SendMessage
from goclaw.models.runs import RunStatus
from goclaw.resolvers.delegations import (
    list_child_delegations,
)
from goclaw.resolvers.runs import cancel_run, list_runs, send_message
from goclaw.resolvers.sessions import list_messages
from goclaw.resolvers.traces import get_trace, list_child_traces
from goclaw.store.database import Reads
from tests.jobs.firm import DOORS, LIMIT_S, Firm, gives, text_of, tools_of
from tests.upstream import call
from tests.upstream.script import Call, Script, Usage


async def test_a_copy_works_and_the_run_goes_on_with_its_result(firm: Firm) -> None:
    lead = await firm.hire("lead", "spawn", "list_files", "cron", "sessions_list")

    def says(task: str, last: str) -> Script:
        if task == "Count to three.":
            return Script(text="One, two, three.")
        if "One, two, three." in last:
            return Script(text="It counted.")
        return gives("spawn", task="Count to three.", mode="sync", label="counter")

    firm.says(says)
    assert await firm.ask(lead) == "It counted."
    (task,) = await firm.tasks()
    assert (task.kind, task.mode, task.status) == ("spawn", "sync", "completed")
    assert (task.label, task.task, task.result) == (
        "counter",
        "Count to three.",
        "One, two, three.",
    )
    assert (task.source_agent_key, task.target_agent_key) == ("lead", "lead")
    assert task.iterations == 1
    assert task.input_tokens > 0
    assert task.duration_ms is not None
    assert task.parent_id is None
    assert task.trace_id is not None
    (body,) = firm.sent_for("Count to three.")
    assert "You are lead." in text_of(body["messages"][0])
    assert "# Sub-agent" in text_of(body["messages"][0])


async def test_weakness_40_a_copy_has_no_tool_that_its_agent_lacks(firm: Firm) -> None:
    """The older server gives sub-agents tools of their own, without policy or approval."""
    lead = await firm.hire("lead", "spawn", "list_files", "cron", "sessions_send", "sessions_list")
    firm.says(
        lambda task, last: (
            gives("spawn", task="Look around.", mode="sync")
            if task == "Begin." and "Begin." in last
            else Script(text="Fine.")
        )
    )
    await firm.ask(lead)
    own, *_ = firm.sent_for("Begin.")
    (copys,) = firm.sent_for("Look around.")
    assert tools_of(own) == {"spawn", "list_files", "cron", "sessions_send", "sessions_list"}
    assert tools_of(copys) == {"list_files"}
    told = text_of(copys["messages"][0])
    assert "- list_files:" in told
    assert "- spawn:" not in told


@pytest.mark.parametrize("door", DOORS)
async def test_a_tree_of_depth_2_hangs_below_one_trace(firm: Firm, door: str) -> None:
    lead = await firm.hire("lead", "spawn", subagents_config={"max_spawn_depth": 2})

    def says(task: str, last: str) -> Script:
        if task == "Leaf." or "leaf" in last:
            return Script(text="A leaf." if task == "Leaf." else f"{task} saw a leaf")
        return gives("spawn", task="Leaf." if task == "Branch." else "Branch.", mode="sync")

    firm.says(says)
    assert await firm.ask(lead, door=door) == "Begin. saw a leaf"
    leaf, branch = await firm.tasks()
    assert (branch.task, leaf.task) == ("Branch.", "Leaf.")
    assert leaf.parent_id == branch.id
    assert leaf.parent_run_id == branch.run_id
    assert [child.id for child in await list_child_delegations(firm.ada, branch.id)] == [leaf.id]
    assert "spawn" in tools_of(firm.sent_for("Branch.")[0])
    assert "spawn" not in tools_of(firm.sent_for("Leaf.")[0])
    await firm.server.services.traces.flush()
    root = (await list_runs(firm.ada, PageRequest(limit=10))).rows[-1].trace_id
    (below,) = await list_child_traces(firm.ada, root)
    (last,) = await list_child_traces(firm.ada.afresh(), below.id)
    assert (below.id, last.id) == (branch.trace_id, leaf.trace_id)
    assert (await get_trace(firm.ada, last.id)).parent_trace_id == below.id


def allow_tokens(firm: Firm, monkeypatch: pytest.MonkeyPatch, tokens: int) -> None:
    """What a run may use from now on."""
    runner = firm.server.services.runner
    monkeypatch.setattr(runner, "_limits", replace(runner._limits, budget_tokens=tokens))


async def test_what_copies_used_counts_towards_the_budget_of_the_run(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = await firm.hire("lead", "spawn")
    allow_tokens(firm, monkeypatch, 100)

    def says(task: str, last: str) -> Script:
        if task == "Dear.":
            return Script(text="Done.", usage=Usage(input=80, output=30))
        return gives("spawn", task="Dear.", mode="sync")

    firm.says(says)
    with pytest.raises(BudgetExceeded, match="tokens"):
        await firm.ask(lead)


async def test_what_a_run_used_counts_towards_the_budget_of_copies_it_does_not_wait_for(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One budget for a run and all that comes of it: else each task would bring one of its own."""
    lead = await firm.hire("lead", "spawn")
    allow_tokens(firm, monkeypatch, 100)

    def says(task: str, last: str) -> Script:
        if task in {"First.", "Second."}:
            return Script(text="Done.", usage=Usage(input=80, output=30))
        calls = tuple(call("spawn", task=task) for task in ("First.", "Second."))
        return Script(calls=calls, usage=Usage(input=90, output=20))

    firm.says(says)
    with pytest.raises(BudgetExceeded, match="tokens"):
        await firm.ask(lead)
    tasks = await firm.ended(2)
    assert [(task.status, task.error_code) for task in tasks] == [
        ("failed", "run_tokens_spent"),
        ("failed", "run_tokens_spent"),
    ]
    assert firm.sent_for("First.") == firm.sent_for("Second.") == []


async def test_a_budget_is_shared_by_a_whole_tree(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = await firm.hire("lead", "spawn", subagents_config={"max_spawn_depth": 2})
    allow_tokens(firm, monkeypatch, 100)

    def says(task: str, last: str) -> Script:
        if task == "Leaf.":
            return Script(text="Done.", usage=Usage(input=70, output=20))
        below = "Leaf." if task == "Branch." else "Branch."
        return Script(
            calls=(call("spawn", task=below, mode="sync"),), usage=Usage(input=5, output=1)
        )

    firm.says(says)
    with pytest.raises(BudgetExceeded, match="102"):
        await firm.ask(lead)
    leaf = next(task for task in await firm.tasks() if task.task == "Leaf.")
    branch = next(task for task in await firm.tasks() if task.task == "Branch.")
    assert (leaf.status, branch.error_code) == ("completed", "run_tokens_spent")


async def test_cancelling_a_run_cancels_those_it_waits_for(firm: Firm) -> None:
    lead = await firm.hire("lead", "spawn")
    firm.says(
        lambda task, _: (
            Script(text="word " * 200, deltas=200, every=0.05)
            if task == "Long."
            else gives("spawn", task="Long.", mode="sync")
        )
    )
    sent = await send_message(firm.ada, SendMessage(agent_id=lead.id, text="Begin."))
    await firm.until_at_work("Long.")
    await cancel_run(firm.ada, sent.id)
    (task,) = await firm.ended()
    assert task.status == "cancelled"
    assert firm.server.services.runner.live == {}


async def test_results_of_copies_are_told_together_in_the_same_conversation(firm: Firm) -> None:
    lead = await firm.hire("lead", "spawn")

    def says(task: str, last: str) -> Script:
        if task in ("North.", "South."):
            return Script(text=f"It is cold in the {task[:-1].lower()}.")
        if "[From the gateway" in last:
            return Script(text="Cold both ways.")
        if "accepted" in last:
            return Script(text="They are on their way.")
        north, south = (
            call("spawn", id=f"call_{n}", task=t) for n, t in enumerate(("North.", "South."))
        )
        return Script(calls=(north, south))

    firm.says(says)
    sent = await send_message(firm.ada, SendMessage(agent_id=lead.id, text="Look."))
    await firm.ended(2)
    assert sent.session_id is not None
    async with asyncio.timeout(LIMIT_S):
        while True:
            page = await list_messages(firm.ada.afresh(), sent.session_id, PageRequest(limit=50))
            said = [row.content for row in page.rows]
            if "Cold both ways." in said:
                break
            await asyncio.sleep(0.1)
    assert said.count("Cold both ways.") == 1
    (told,) = [text for text in said if "[From the gateway: what came" in text]
    assert "It is cold in the north." in told
    assert "It is cold in the south." in told
    assert "They are on their way." in said
    (announced,) = [
        run
        for run in (await list_runs(firm.ada, PageRequest(limit=20))).rows
        if run.channel == "announce"
    ]
    bodies = [
        r.body for r in firm.upstream.requests if "what came" in text_of(r.body["messages"][-1])
    ]
    assert announced.status == RunStatus.COMPLETED
    assert all("spawn" not in tools_of(body) for body in bodies)


async def test_copies_are_listed_stopped_and_begun_anew(firm: Firm) -> None:
    lead = await firm.hire("lead", "spawn")
    ids: list[str] = []

    def says(task: str, last: str) -> Script | None:
        if task == "Long.":
            return Script(text="word " * 400, deltas=400, every=0.05)
        if task == "Short.":
            return Script(text="Short it is.")
        if '"tasks":' in last:
            arguments = {"action": "steer", "id": ids[0], "task": "Short."}
            return Script(calls=(Call("spawn", json.dumps(arguments)),))
        if "Begin." in last:
            return gives("spawn", task="Long.", label="walker")
        return Script(text="So be it.")

    firm.says(says)
    await firm.ask(lead)
    await firm.until_at_work("Long.")
    (task,) = await firm.tasks()
    ids.append(str(task.id))
    firm.says(
        lambda task, last: gives("spawn", action="list") if last == "Go on." else says(task, last)
    )
    await firm.ask(lead, "Go on.")
    again, first = await firm.ended(2)
    assert (first.status, first.error_code) == ("cancelled", "run_cancelled")
    assert (again.label, again.status, again.result) == ("walker", "completed", "Short it is.")
    assert again.mode == "async"


async def test_as_many_copies_work_as_the_agent_allows(firm: Firm) -> None:
    lead = await firm.hire("lead", "spawn", subagents_config={"max_children_per_agent": 1})

    def says(task: str, last: str) -> Script:
        if task == "Long.":
            return Script(text="word " * 400, deltas=400, every=0.05)
        if "Begin." in last:
            calls = tuple(call("spawn", id=f"call_{n}", task="Long.") for n in range(2))
            return Script(calls=calls)
        return Script(text=last)

    firm.says(says)
    await firm.ask(lead)
    results = [m for m in firm.sent_for("Begin.")[-1]["messages"] if m["role"] == "tool"]
    texts = sorted(text_of(result) for result in results)
    assert sum("accepted" in text for text in texts) == 1
    assert sum("1 sub-agents are at work already" in text for text in texts) == 1
    (task,) = await firm.tasks()
    await cancel_run(firm.ada, task.run_id)
    await firm.ended()


@pytest.mark.parametrize("config", [{"max_spawn_depth": 6}, {"max_children_per_agent": 0}])
async def test_limits_of_copies_have_limits(firm: Firm, config: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(config))):
        await firm.hire("lead", "spawn", subagents_config=config)


async def test_a_tree_is_read_with_as_many_statements_as_it_is_deep(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many tasks came of each."""
    config = {"max_spawn_depth": 2, "max_children_per_agent": 2 + 6}
    lead = await firm.hire("lead", "spawn", subagents_config=config)

    def says(task: str, last: str) -> Script:
        if task.startswith("Leaf") or "leaf" in last:
            return Script(text="A leaf.")
        name, count = ("Leaf", 3) if task.startswith("Branch") else ("Branch", 2)
        calls = (
            call("spawn", id=f"call_{n}", task=f"{name} {n}.", mode="sync") for n in range(count)
        )
        return Script(calls=tuple(calls))

    firm.says(says)
    await firm.ask(lead)
    root = [task for task in await firm.tasks() if task.parent_id is None]
    asked: list[str] = []
    records = Reads.records

    async def noted(self: Reads, sql: str, arguments: Any) -> Any:
        asked.append(sql)
        return await records(self, sql, arguments)

    monkeypatch.setattr(Reads, "records", noted)
    ctx = firm.ada
    branches = await asyncio.gather(*(list_child_delegations(ctx, task.id) for task in root))
    leaves = await asyncio.gather(
        *(list_child_delegations(ctx, task.id) for each in branches for task in each)
    )
    assert len(root) == 2
    assert sum(map(len, branches)) == 6
    assert leaves == [[]] * 6
    assert len(asked) == 2


async def test_a_task_is_taken_up_with_its_role_and_its_rules(
    firm: Firm, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By whichever worker comes after the one that died."""
    lead = await firm.hire("lead", "spawn", "list_files")
    firm.says(
        lambda task, last: (
            (gives("list_files") if last == "Long." else Script(text="Listed.", first_after=1.0))
            if task == "Long."
            else gives("spawn", task="Long.")
            if last == "Begin."
            else Script(text="Fine.")
        )
    )
    await firm.ask(lead)
    async with asyncio.timeout(LIMIT_S):
        while len(firm.sent_for("Long.")) < 2:  # noqa: ASYNC110 - the vendor tells nobody
            await asyncio.sleep(0.02)
    (task,) = await firm.tasks()
    firm.server.services.runner.live[task.run_id].release()
    (ended,) = await firm.ended()
    assert (ended.status, ended.result) == ("completed", "Listed.")
    bodies = firm.sent_for("Long.")
    assert len(bodies) >= 3
    assert {frozenset(tools_of(body)) for body in bodies} == {frozenset({"list_files"})}
    assert all("# Sub-agent" in text_of(body["messages"][0]) for body in bodies)
