"""Agents that have copies of themselves and other agents work for them."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from goclaw.core.callers import Scope
from goclaw.core.errors import BudgetExceeded, Conflict, Forbidden, InvalidInput, NotFound
from goclaw.core.paging import PageRequest
from goclaw.models.agents import AgentCreate, AgentPatch, AgentView
from goclaw.models.chat import ChatRequest, SendMessage, Wake
from goclaw.models.delegations import (
    AgentLinkCreate,
    AgentLinkPatch,
    DelegationStatus,
    DelegationView,
    LinkDirection,
    LinkStatus,
)
from goclaw.models.providers import Provider
from goclaw.models.run_events import RunText
from goclaw.models.runs import RunStatus
from goclaw.resolvers.agent_links import (
    create_agent_link,
    delete_agent_link,
    list_agent_links,
    update_agent_link,
)
from goclaw.resolvers.agents import create_agent, delete_agent, update_agent
from goclaw.resolvers.chat import start_chat
from goclaw.resolvers.context import Context
from goclaw.resolvers.delegations import (
    count_delegations,
    get_delegation,
    list_child_delegations,
    list_delegations,
)
from goclaw.resolvers.following import watch_run
from goclaw.resolvers.runs import cancel_run, list_runs, send_message
from goclaw.resolvers.sessions import list_messages
from goclaw.resolvers.traces import get_trace, list_child_traces
from goclaw.resolvers.wakes import wake_agent
from goclaw.store.database import Reads
from tests.support.callers import add_provider, context
from tests.support.server import RunningServer
from tests.upstream import ScriptedUpstream, call
from tests.upstream.playing import Received
from tests.upstream.script import Call, Script, Usage

LIMIT_S = 20
DOORS = ("chat", "message", "wake")
Says = Callable[[str, str], Script | None]
"""What the model does, by the task of its run and what it was told last."""


@dataclass
class Firm:
    """Ada's agents, whose model says what a test wants of each task."""

    server: RunningServer
    upstream: ScriptedUpstream
    provider: Provider

    @property
    def ada(self) -> Context:
        return context(self.server.services)

    async def hire(self, key: str, *tools: str, **more: Any) -> AgentView:
        data = AgentCreate(
            key=key,
            provider_id=self.provider.id,
            model="scripted-1",
            system_prompt=f"You are {key}.",
            tools_config={"allow": list(tools)},
            **more,
        )
        return await create_agent(self.ada, data)

    async def link(self, source: AgentView, target: AgentView, **more: Any) -> Any:
        data = AgentLinkCreate(source_agent_id=source.id, target_agent_id=target.id, **more)
        return await create_agent_link(self.ada, data)

    def says(self, says: Says) -> None:
        def choose(received: Received) -> Script | None:
            messages = received.body["messages"]
            asked = next(m for m in messages if m["role"] == "user")
            return says(text_of(asked), text_of(messages[-1]))

        self.upstream.choose = choose

    async def ask(self, agent: AgentView, text: str = "Begin.", door: str = "chat") -> str:
        """What the agent answers, asked by chat completions, a message or a wake."""
        if door == "wake":
            return (await wake_agent(self.ada, agent.id, Wake(message=text))).content
        if door == "message":
            sent = await send_message(self.ada, SendMessage(agent_id=agent.id, text=text))
            events = [event async for event in watch_run(self.ada, sent.id)]
            return "".join(event.text for event in events if isinstance(event, RunText))
        body = {"model": f"goclaw:{agent.key}", "messages": [{"role": "user", "content": text}]}
        run = await start_chat(self.ada, ChatRequest.model_validate(body))
        return (await run.reply()).content

    async def tasks(self, **wanted: Any) -> list[DelegationView]:
        """Newest first."""
        return [*(await list_delegations(self.ada, PageRequest(limit=50), **wanted)).rows]

    async def ended(self, count: int = 1) -> list[DelegationView]:
        """All tasks, once so many have ended."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                tasks = await self.tasks()
                if sum(task.completed_at is not None for task in tasks) >= count:
                    return tasks
                await asyncio.sleep(0.05)

    async def until_at_work(self, task: str) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not self.sent_for(task):  # noqa: ASYNC110 - the vendor tells nobody
                await asyncio.sleep(0.02)

    def sent_for(self, task: str) -> list[dict[str, Any]]:
        """Bodies of the model calls of runs with that task."""
        bodies = [request.body for request in self.upstream.requests]
        return [
            body
            for body in bodies
            if task in text_of(next(m for m in body["messages"] if m["role"] == "user"))
        ]


def text_of(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def tools_of(body: dict[str, Any]) -> set[str]:
    return {tool["function"]["name"] for tool in body.get("tools") or ()}


@pytest.fixture
async def firm(server: RunningServer, upstream: ScriptedUpstream) -> Firm:
    return Firm(server, upstream, await add_provider(server.services, upstream))


def gives(tool: str, **arguments: Any) -> Script:
    return Script(calls=(call(tool, **arguments),))


# ---------------------------------------------------------------- copies that are waited for


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


async def test_what_copies_used_counts_towards_the_budget_of_the_run(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = await firm.hire("lead", "spawn")
    limits = firm.server.services.runner._limits
    budget = 100
    monkeypatch.setattr(
        firm.server.services.runner,
        "_limits",
        type(limits)(limits.tool_calls, limits.time_s, limits.tools_at_once, 0, budget),
    )

    def says(task: str, last: str) -> Script:
        if task == "Dear.":
            return Script(text="Done.", usage=Usage(input=80, output=30))
        return gives("spawn", task="Dear.", mode="sync")

    firm.says(says)
    with pytest.raises(BudgetExceeded, match="tokens"):
        await firm.ask(lead)


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


# ---------------------------------------------------------------- copies that are not waited for


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


# ---------------------------------------------------------------- other agents


def asks(key: str) -> Says:
    """Who is asked to begin asks that agent; all others answer."""

    def says(task: str, last: str) -> Script:
        if task == "Begin." and last == "Begin.":
            return gives("delegate", agent=key, task="What is new?")
        return Script(text="Nothing." if task == "What is new?" else f"Heard: {last}")

    return says


async def test_an_agent_asks_another_with_its_own_prompt_and_tools(firm: Firm) -> None:
    lead = await firm.hire("lead", "delegate")
    clerk = await firm.hire("clerk", "list_files")
    await firm.link(lead, clerk, description="Knows the files.")
    firm.says(asks("clerk"))
    assert "Nothing." in await firm.ask(lead)
    (task,) = await firm.tasks()
    assert (task.kind, task.mode, task.status) == ("delegate", "sync", "completed")
    assert (task.source_agent_id, task.target_agent_id) == (lead.id, clerk.id)
    (body,) = firm.sent_for("What is new?")
    assert "You are clerk." in text_of(body["messages"][0])
    assert "# Task" in text_of(body["messages"][0])
    assert tools_of(body) == {"list_files"}
    assert await count_delegations(firm.ada, target_agent_id=clerk.id) == 1
    assert await count_delegations(firm.ada, source_agent_id=clerk.id) == 0


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("direction", "forward", "backward"),
    [
        (LinkDirection.OUTBOUND, True, False),
        (LinkDirection.INBOUND, False, True),
        (LinkDirection.BIDIRECTIONAL, True, True),
    ],
)
async def test_who_may_ask_whom(
    firm: Firm, direction: LinkDirection, forward: bool, backward: bool, door: str
) -> None:
    one, two = await firm.hire("one", "delegate"), await firm.hire("two", "delegate")
    await firm.link(one, two, direction=direction)
    for asking, asked, may in ((one, two, forward), (two, one, backward)):
        firm.says(asks(asked.key))
        said = await firm.ask(asking, door=door)
        assert ("Nothing." in said) is may
        assert ("no active link" in said) is not may


@pytest.mark.parametrize(
    "closed", [{"status": "disabled"}, {"deny_users": ["ada"]}, {"allow_users": ["bob"]}]
)
async def test_a_link_that_is_closed_to_a_user_lets_nothing_through(
    firm: Firm, closed: dict[str, Any]
) -> None:
    lead, clerk = await firm.hire("lead", "delegate"), await firm.hire("clerk")
    await firm.link(lead, clerk, **closed)
    firm.says(asks("clerk"))
    assert "no active link" in await firm.ask(lead)
    assert await firm.tasks() == []


async def test_agents_do_not_wait_for_one_another_in_a_circle(firm: Firm) -> None:
    one, two = await firm.hire("one", "delegate"), await firm.hire("two", "delegate")
    await firm.link(one, two, direction=LinkDirection.BIDIRECTIONAL)

    def says(task: str, last: str) -> Script:
        if last == "Begin.":
            return gives("delegate", agent="two", task="Ask one.")
        if last == "Ask one.":
            return gives("delegate", agent="one", task="Ask two.")
        return Script(text=f"Heard: {last}")

    firm.says(says)
    assert "waits for the result itself" in await firm.ask(one)
    (task,) = await firm.tasks()
    assert task.status == "completed"


async def test_so_many_tasks_go_over_a_link_at_once(firm: Firm) -> None:
    lead, clerk = await firm.hire("lead", "delegate"), await firm.hire("clerk")
    await firm.link(lead, clerk, max_concurrent=2)

    def says(task: str, last: str) -> Script:
        if task == "Work.":
            return Script(text="Worked.", first_after=0.5)
        if last == "Begin.":
            calls = (
                call("delegate", id=f"call_{n}", agent="clerk", task="Work.") for n in range(5)
            )
            return Script(calls=tuple(calls))
        return Script(text="Enough.")

    firm.says(says)
    await firm.ask(lead)
    results = [m for m in firm.sent_for("Begin.")[-1]["messages"] if m["role"] == "tool"]
    texts = [text_of(result) for result in results]
    assert sum("Worked." in text for text in texts) == 2
    assert sum("2 tasks go over this link already" in text for text in texts) == 3


async def test_an_agent_tells_whom_it_may_ask(firm: Firm) -> None:
    lead, clerk = await firm.hire("lead", "delegate"), await firm.hire("clerk")
    await firm.hire("stranger")
    await firm.link(lead, clerk, description="Knows the files.")
    firm.says(
        lambda _, last: gives("delegate", action="list") if last == "Begin." else Script(text=last)
    )
    said = await firm.ask(lead)
    assert '"agent":"clerk"' in said
    assert "Knows the files." in said
    assert "stranger" not in said


async def test_a_failed_task_says_why(firm: Firm) -> None:
    lead, clerk = await firm.hire("lead", "delegate"), await firm.hire("clerk")
    await firm.link(lead, clerk)
    firm.says(
        lambda task, last: (
            Script(status=401, message="no such key")
            if task == "What is new?"
            else asks("clerk")(task, last)
        )
    )
    assert "The task failed" in await firm.ask(lead)
    (task,) = await firm.tasks()
    assert task.status == "failed"
    assert task.error_code is not None


# ---------------------------------------------------------------- links and history


async def test_links_are_made_by_who_may_change_those_that_ask(firm: Firm) -> None:
    lead, clerk = await firm.hire("lead"), await firm.hire("clerk", is_default=False)
    bob = context(firm.server.services, user_id="bob")
    with pytest.raises(NotFound):
        await create_agent_link(
            bob, AgentLinkCreate(source_agent_id=lead.id, target_agent_id=clerk.id)
        )
    link = await firm.link(lead, clerk)
    with pytest.raises(Conflict, match="linked already"):
        await firm.link(lead, clerk)
    with pytest.raises(InvalidInput, match="another agent"):
        await firm.link(lead, lead)
    with pytest.raises(NotFound):
        await delete_agent_link(bob, link.id)
    assert (await list_agent_links(bob, PageRequest(limit=10))).rows == []
    changes = AgentLinkPatch(status=LinkStatus.DISABLED, max_concurrent=1)
    changed = await update_agent_link(firm.ada, link.id, changes)
    assert (changed.status, changed.max_concurrent, changed.direction) == (
        "disabled",
        1,
        "outbound",
    )
    rows = (await list_agent_links(firm.ada.afresh(), PageRequest(limit=10), clerk.id)).rows
    assert [row.id for row in rows] == [link.id]
    await delete_agent(firm.ada, clerk.id)
    assert (await list_agent_links(firm.ada.afresh(), PageRequest(limit=10))).rows == []


async def test_a_shared_agent_is_linked_by_its_administrators_alone(firm: Firm) -> None:
    lead = await firm.hire("lead")
    admin = context(firm.server.services, "ada", Scope.ADMIN)
    await update_agent(admin, lead.id, AgentPatch(is_default=True))
    bob = context(firm.server.services, user_id="bob")
    own = await create_agent(
        bob, AgentCreate(key="bobs", provider_id=firm.provider.id, model="scripted-1")
    )
    with pytest.raises(Forbidden):
        await create_agent_link(
            bob, AgentLinkCreate(source_agent_id=lead.id, target_agent_id=own.id)
        )
    data = AgentLinkCreate(source_agent_id=own.id, target_agent_id=lead.id)
    assert (await create_agent_link(bob, data)).source_agent_id == own.id


async def test_nobody_else_sees_what_came_of_a_task(firm: Firm) -> None:
    lead, clerk = await firm.hire("lead", "delegate"), await firm.hire("clerk")
    await firm.link(lead, clerk)
    firm.says(asks("clerk"))
    await firm.ask(lead)
    (task,) = await firm.tasks()
    assert (await get_delegation(firm.ada, task.id)).status == DelegationStatus.COMPLETED
    bob = context(firm.server.services, user_id="bob")
    with pytest.raises(NotFound):
        await get_delegation(bob, task.id)
    assert (await list_delegations(bob, PageRequest(limit=10))).rows == []
    assert (await list_delegations(bob, PageRequest(limit=10), user_id="ada")).rows == []


async def test_a_task_whose_run_was_lost_has_failed(firm: Firm, sql: Any) -> None:
    lead, clerk = await firm.hire("lead", "delegate"), await firm.hire("clerk")
    await firm.link(lead, clerk)
    firm.says(asks("clerk"))
    await firm.ask(lead)
    (task,) = await firm.tasks()
    await sql(
        "update delegation_history set status = 'running', completed_at = null, run_id = $1,"
        " created_at = now() - interval '2 minutes'",
        UUID(int=7),
    )
    (lost,) = await firm.ended()
    assert (lost.id, lost.status, lost.error_code) == (task.id, "failed", "run_lost")


async def test_a_tree_is_read_with_as_many_statements_as_it_is_deep(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many tasks came of each."""
    lead = await firm.hire("lead", "spawn", subagents_config={"max_spawn_depth": 2})

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
