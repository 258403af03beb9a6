"""Agents that ask others: over which links, for whom, and how often at once."""

from typing import Any

import pytest

from goclaw.core.paging import PageRequest
from goclaw.models.agents import AgentView
from goclaw.models.delegations import AgentLinkPatch, LinkDirection, LinkStatus
from goclaw.resolvers.agent_links import update_agent_link
from goclaw.resolvers.delegations import count_delegations
from goclaw.resolvers.sessions import count_sessions, list_sessions
from tests.jobs.firm import DOORS, Firm, asks, gives, text_of, tools_of
from tests.upstream import call
from tests.upstream.script import Script


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


async def test_tasks_are_called_by_their_first_words_and_stand_apart_from_chats(firm: Firm) -> None:
    lead, clerk = await firm.hire("lead", "delegate"), await firm.hire("clerk")
    await firm.link(lead, clerk)
    firm.says(asks("clerk"))
    await firm.ask(lead)
    (task,) = await firm.tasks()
    assert task.label == "What is new?"
    chats = await list_sessions(firm.ada, PageRequest(), with_tasks=False)
    assert [session.channel for session in chats.rows] == ["http"]
    both = await list_sessions(firm.ada, PageRequest())
    assert {session.channel for session in both.rows} == {"http", "delegate"}
    assert await count_sessions(firm.ada, with_tasks=False) == 1
    assert await count_sessions(firm.ada) == 2


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
    other = await firm.hire("other")
    await firm.link(one, other)
    await firm.link(two, other)
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
    await firm.link(lead, await firm.hire("other"))
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


async def test_who_may_ask_nobody_is_not_offered_to(firm: Firm) -> None:
    """What is offered is read, and paid for, at each model call."""
    lead, clerk = await firm.hire("lead", "delegate", "spawn"), await firm.hire("clerk")
    assert await offered(firm, lead) == ["spawn"]
    link = await firm.link(lead, clerk, direction=LinkDirection.INBOUND)
    assert await offered(firm, lead) == ["spawn"]
    await update_agent_link(
        firm.ada, link.id, AgentLinkPatch(direction=LinkDirection.BIDIRECTIONAL)
    )
    assert await offered(firm, lead) == ["delegate", "spawn"]
    await update_agent_link(firm.ada, link.id, AgentLinkPatch(status=LinkStatus.DISABLED))
    assert await offered(firm, lead) == ["spawn"]


async def offered(firm: Firm, agent: AgentView) -> list[str]:
    await firm.ask(agent)
    return [tool["function"]["name"] for tool in firm.upstream.requests[-1].body["tools"]]


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
