"""An agent that acts: made, given tools, watched at work, spoken to, stopped, accounted for."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import expect

from goclaw.tools.files import FileTools
from goclaw.tools.tool import ToolContext, ToolResult
from tests.upstream import ScriptedUpstream, call
from tests.web.conftest import Visitor


@pytest.fixture
async def gate(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[asyncio.Event]:
    """What `list_files` waits for before it looks."""
    gate = asyncio.Event()
    look = FileTools.list

    async def patiently(self: FileTools, ctx: ToolContext, wanted: object) -> ToolResult:
        await gate.wait()
        return await look(self, ctx, wanted)  # type: ignore[arg-type]

    monkeypatch.setattr(FileTools, "list", patiently)
    yield gate
    gate.set()


async def make_agent(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.open("/agents/new")
    await page.get_by_label("Key").fill("clerk")
    await page.get_by_role("combobox", name="Provider").click()
    await page.get_by_role("option", name="scripted").click()
    await page.get_by_role("combobox", name="Model").fill("scripted-1")
    await page.get_by_label("System prompt").fill("You keep the files in order.")
    await page.get_by_role("button", name="Create agent").click()
    await page.get_by_role("link", name="clerk").click()


async def give_tools(visitor: Visitor, *names: str) -> None:
    """On the agent's page, whose preview tells what comes of it."""
    page = visitor.page
    allow, deny = (page.get_by_role("combobox", name=name) for name in ("Allow only", "Deny"))
    for name in names:
        await allow.fill(name)
        await allow.press("Enter")
    tools = page.get_by_role("list", name="Tools it may call")
    await expect(tools.get_by_role("listitem")).to_have_text(sorted(names))
    await page.get_by_text("The whole system prompt").click()
    prompt = page.get_by_label("The whole system prompt")
    await expect(prompt).to_contain_text("You keep the files in order.")
    await expect(prompt).to_contain_text("- list_files:")
    save = page.get_by_role("button", name="Save")
    await deny.fill("no_such_tool")
    await deny.press("Enter")
    await save.click()
    await expect(page.get_by_text("no_such_tool is no tool").first).to_be_visible()
    await deny.press("Backspace")
    await save.click()
    await expect(page.get_by_text("Agent saved")).to_be_visible()


async def watch(visitor: Visitor, upstream: ScriptedUpstream, gate: asyncio.Event) -> None:
    """Tools at work, words in between, a reload on the way, and how all that is kept."""
    page = visitor.page
    log = page.get_by_role("log")
    upstream.reply(
        calls=(call("list_files"), call("read_file", id="call_2", path="missing.md")),
        said_before="I look around.",
        thinking="Which files are there?",
    )
    upstream.reply("There is nothing.")
    await visitor.say("What is there?")
    at_work = page.get_by_label("list_files: At work")
    await expect(at_work).to_be_visible()
    await expect(page.get_by_label("read_file: Failed")).to_be_visible()
    await expect(log.get_by_label("Thinking")).to_be_visible()
    await expect(page.get_by_placeholder("reads it before its next step")).to_be_visible()
    await visitor.say("Be brief.")
    await expect(page.get_by_text("Waiting for the agent's next step")).to_be_visible()
    await page.reload()
    await expect(at_work).to_be_visible()
    gate.set()
    await expect(page.get_by_label("list_files: Done")).to_be_visible()
    await expect(page.get_by_text("There is nothing.")).to_be_visible()
    await expect(page.get_by_label("Send")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("There is nothing.")).to_be_visible()
    await expect(log.get_by_text("Be brief.")).to_have_count(1)
    await page.get_by_label("read_file: Failed").locator("summary").click()
    await expect(page.get_by_text("What went wrong")).to_be_visible()
    await expect(page.locator("pre", has_text='"path": "missing.md"')).to_be_visible()


async def stop(visitor: Visitor, upstream: ScriptedUpstream) -> None:
    """A run that is found among those that go on, and stopped in its chat."""
    page = visitor.page
    upstream.reply(calls=(call("list_files", id="call_3"),))
    await visitor.say("Look again.")
    at_work = page.get_by_label("list_files: At work")
    await expect(at_work).to_be_visible()
    await page.get_by_role("navigation").get_by_text("Runs").click()
    row = page.get_by_role("row", name=re.compile("clerk"))
    await expect(row).to_contain_text("Running")
    await row.get_by_role("link").click()
    await expect(at_work).to_be_visible()
    await page.get_by_label("Stop the answer").click()
    await expect(page.get_by_text("The answer was stopped.")).to_be_visible()
    await expect(page.get_by_label("list_files: Not finished")).to_be_visible()


async def test_an_agent_is_made_given_tools_watched_stopped_and_accounted_for(
    gate: asyncio.Event, visitor: Visitor, upstream: ScriptedUpstream
) -> None:
    page = visitor.page
    await visitor.sign_in()
    await expect(page.get_by_label("Signed in as ada")).to_be_visible()
    await make_agent(visitor)
    await give_tools(visitor, "read_file", "list_files")
    await page.get_by_role("main").get_by_role("link", name="Chat", exact=True).click()
    await watch(visitor, upstream, gate)
    gate.clear()
    await stop(visitor, upstream)

    await page.get_by_role("link", name="Trace", exact=True).last.click()
    spans = page.get_by_role("listbox", name="Spans over time")
    await expect(spans.get_by_role("option", name=re.compile("list_files"))).to_be_visible()
    await page.get_by_role("navigation").get_by_text("Usage").click()
    today = page.get_by_role("region", name="Today (UTC)")
    await expect(today).to_contain_text("2 runs")
    await expect(today).to_contain_text("without a known price")
    await page.get_by_role("button", name="Show the figures").click()
    await expect(page.get_by_role("table", name="Usage by day")).to_contain_text("unpriced")
    await expect(page.get_by_role("table", name="Who used it")).to_contain_text("clerk")
    assert visitor.complaints == []


async def test_administrators_switch_tools_and_stop_all_runs(
    visitor: Visitor, upstream: ScriptedUpstream
) -> None:
    page = visitor.page
    await visitor.sign_in()
    await page.get_by_role("navigation").get_by_text("Built-in tools").click()
    switch = page.get_by_role("switch", name="Web search is on")
    await expect(switch).to_be_checked()
    await page.get_by_role("button", name="Settings of Web search").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Brave API key").fill("brave-secret-key")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_have_count(0)
    await page.get_by_role("button", name="Settings of Web search").click()
    await expect(dialog).to_contain_text("One is stored and never shown")
    await expect(dialog.get_by_label("Brave API key")).to_have_value("")
    for _ in range(2):
        await dialog.get_by_role("combobox", name="Providers").press("Backspace")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.locator(".mantine-MultiSelect-error")).to_be_visible()
    await dialog.get_by_label("Close").click()
    await switch.press("Space")
    await expect(switch).not_to_be_checked()

    await page.get_by_role("navigation").get_by_text("Runs").click()
    await expect(page.get_by_text("Nothing is running")).to_be_visible()
    await page.get_by_role("button", name="Stop all runs").click()
    await dialog.get_by_label("Reason").fill("maintenance")
    await dialog.get_by_role("button", name="Stop everything").click()
    await expect(page.get_by_text("All runs are stopped")).to_be_visible()
    await expect(page.get_by_text("maintenance")).to_be_visible()
    await page.get_by_role("navigation").get_by_text("Chat").click()
    await visitor.say("Hello?")
    await expect(page.get_by_role("alert").filter(has_text="maintenance")).to_be_visible()
    await page.get_by_role("navigation").get_by_text("Runs").click()
    await page.get_by_role("button", name="Let runs begin again").click()
    await expect(page.get_by_text("Nothing is running")).to_be_visible()
    await expect(page.get_by_text("All runs are stopped")).to_have_count(0)
    assert [text for text in visitor.complaints if "503" not in text] == []


async def test_thinking_is_seen_as_it_comes_and_kept_with_the_answer(
    visitor: Visitor, upstream: ScriptedUpstream
) -> None:
    upstream.reply("It is a fox.", thinking="Which animal may it be?", deltas=12, every=0.25)
    await visitor.enter()
    await visitor.say("Which animal is it?")
    thought = visitor.page.get_by_role("log").get_by_label("Thinking")
    await expect(thought).to_be_visible()
    await expect(visitor.page.get_by_label("Stop the answer")).to_be_visible()
    await expect(visitor.page.get_by_label("Send")).to_be_visible(timeout=15_000)
    await expect(thought).to_have_count(1)
    await thought.locator("summary").click()
    await expect(thought.get_by_text("Which animal may it be?").last).to_be_visible()
    assert visitor.complaints == []
