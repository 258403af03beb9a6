"""Agents that ask agents: linked on the page, watched there, and seen as a tree."""

import re
from typing import Any

from playwright.async_api import expect

from goclaw.core.paging import PageRequest
from goclaw.models.agents import AgentCreate
from goclaw.resolvers.agents import create_agent
from goclaw.resolvers.providers import list_providers
from tests.support.callers import context
from tests.upstream import ScriptedUpstream, call
from tests.web.conftest import Visitor


async def hire(visitor: Visitor, key: str, **more: Any) -> None:
    ctx = context(visitor.server.services)
    (provider,) = [
        row
        for row in (await list_providers(ctx, PageRequest(limit=10))).rows
        if row.name == "scripted"
    ]
    data = AgentCreate(key=key, provider_id=provider.id, model="scripted-1", **more)
    await create_agent(ctx, data)


async def test_agents_are_linked_and_what_they_ask_is_seen(
    visitor: Visitor, upstream: ScriptedUpstream
) -> None:
    page = visitor.page
    await hire(visitor, "lead", tools_config={"allow": ["delegate", "spawn"]})
    await hire(visitor, "clerk", tools_config={"allow": ["spawn"]})
    await visitor.sign_in()
    await page.get_by_role("navigation").get_by_text("Delegations").click()
    await expect(page.get_by_text("No tasks yet")).to_be_visible()

    await page.get_by_role("navigation").get_by_text("Agents").click()
    await page.get_by_role("link", name="lead").click()
    await page.get_by_role("combobox", name="Other agent").click()
    await page.get_by_role("option", name="clerk").click()
    await page.get_by_label("What it is good for").fill("Knows the files.")
    await page.get_by_role("button", name="Link", exact=True).click()
    links = page.get_by_role("table", name="Links")
    await expect(links.get_by_role("row", name=re.compile("clerk"))).to_contain_text(
        "This agent may ask it"
    )

    asked = call("delegate", agent="clerk", task="Count the files.", label="counting")
    upstream.reply(calls=(asked,))
    upstream.reply(calls=(call("spawn", task="Look at folder 1.", mode="sync", label="folder 1"),))
    upstream.reply("Two files.")
    upstream.reply("Two, in one folder.")
    upstream.reply("There are two.")
    await page.get_by_role("main").get_by_role("link", name="Chat", exact=True).click()
    await visitor.say("How many files are there?")
    await expect(page.get_by_text("There are two.")).to_be_visible()

    await page.get_by_role("navigation").get_by_text("Delegations").click()
    tasks = page.get_by_role("list", name="Delegations", exact=True)
    above = tasks.get_by_label("counting: Done")
    await expect(above).to_contain_text("lead → clerk")
    below = page.get_by_role("list", name="What came of counting")
    await expect(below.get_by_label("folder 1: Done")).to_contain_text("a copy of itself")
    await above.locator("summary").click()
    await expect(above.get_by_text("Two, in one folder.")).to_be_visible()
    await above.get_by_role("link", name="Trace").click()
    await expect(page.get_by_role("listbox", name="Spans over time")).to_be_visible()
    assert visitor.complaints == []
