"""Runs that nobody began are told the context files, too, and have nobody to be met."""

from typing import Any

import pytest

from goclaw.models.agents import AgentType, AgentView
from goclaw.models.cron import CronJobCreate
from goclaw.resolvers.cron import create_cron_job, run_cron_job
from goclaw.store.context_files import look_at_files
from tests.jobs.conftest import until_status
from tests.jobs.firm import Firm, asks, gives, text_of
from tests.support.meeting import FILES, FIRST_CONTACT
from tests.upstream.script import Script


async def hire(firm: Firm, key: str, *tools: str) -> AgentView:
    return await firm.hire(
        key, *FILES, *tools, agent_type=AgentType.PREDEFINED, uses_context_files=True
    )


def prompt_for(firm: Firm, task: str) -> str:
    return text_of(firm.sent_for(task)[0]["messages"][0])


def is_told_without_first_contact(prompt: str) -> bool:
    return "<agent_configuration>" in prompt and FIRST_CONTACT not in prompt


async def met(firm: Firm, agent: AgentView) -> Any:
    return await look_at_files(firm.server.services.database, agent.id, "ada")


async def test_an_agent_that_is_asked_by_another(firm: Firm) -> None:
    lead, clerk = await firm.hire("lead", "delegate"), await hire(firm, "clerk")
    await firm.link(lead, clerk)
    firm.says(asks("clerk"))
    await firm.ask(lead)
    prompt = prompt_for(firm, "What is new?")
    assert is_told_without_first_contact(prompt)
    assert "# Task" in prompt
    assert "BOOTSTRAP.md" in (await met(firm, clerk)).of_user
    assert FIRST_CONTACT not in prompt_for(firm, "Begin.")


@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_a_copy_and_who_is_told_its_result(firm: Firm, mode: str) -> None:
    lead = await hire(firm, "lead", "spawn")

    def says(task: str, last: str) -> Script:
        if task == last == "Begin.":
            return gives("spawn", task="Count to three.", mode=mode)
        return Script(text="One, two, three.")

    firm.says(says)
    await firm.ask(lead)
    await firm.ended()
    assert prompt_for(firm, "Begin.").startswith(FIRST_CONTACT)
    prompt = prompt_for(firm, "Count to three.")
    assert is_told_without_first_contact(prompt)
    assert "# Sub-agent" in prompt


async def test_a_cron_job(firm: Firm) -> None:
    clerk = await hire(firm, "clerk")
    job = CronJobCreate.model_validate(
        {
            "name": "Morning",
            "agent_id": clerk.id,
            "message": "What is new?",
            "kind": "every",
            "every_s": 3600,
        }
    )
    made = await create_cron_job(firm.ada, job)
    run = await run_cron_job(firm.ada, made.id)
    await until_status(firm.server, run.id, "completed")
    assert is_told_without_first_contact(prompt_for(firm, "What is new?"))


async def test_somebody_who_wakes_an_agent_is_met(firm: Firm) -> None:
    clerk = await hire(firm, "clerk")
    await firm.ask(clerk, "Wake up.", "wake")
    assert prompt_for(firm, "Wake up.").startswith(FIRST_CONTACT)
    await firm.ask(clerk, "Hello.", "message")
    assert prompt_for(firm, "Hello.").startswith(FIRST_CONTACT)
