"""Context files on an agent's page: written there, met in a chat, and seen for each user."""

from playwright.async_api import ViewportSize, expect

from goclaw.core.paging import PageRequest
from goclaw.models.agents import AgentCreate, AgentType, AgentView
from goclaw.resolvers.agents import create_agent
from goclaw.resolvers.providers import list_providers
from tests.support.callers import context
from tests.support.meeting import FILES
from tests.upstream import ScriptedUpstream, call
from tests.web.conftest import Visitor

NARROW: ViewportSize = {"width": 390, "height": 844}


async def hire(visitor: Visitor) -> AgentView:
    ctx = context(visitor.server.services)
    rows = (await list_providers(ctx, PageRequest(limit=10))).rows
    (provider,) = [row for row in rows if row.name == "scripted"]
    data = AgentCreate(
        key="guide",
        provider_id=provider.id,
        model="scripted-1",
        agent_type=AgentType.PREDEFINED,
        tools_config={"allow": FILES},
    )
    return await create_agent(ctx, data)


async def test_files_are_written_and_users_are_met(
    visitor: Visitor, upstream: ScriptedUpstream
) -> None:
    page, agent = visitor.page, await hire(visitor)
    await visitor.sign_in()
    await expect(page.get_by_role("navigation")).to_be_visible()
    await visitor.open(f"/agents/{agent.id}")
    own = page.get_by_role("list", name="Context files")
    await expect(own.get_by_role("listitem")).to_have_count(7)
    await expect(own.get_by_role("listitem", name="TOOLS.md")).to_contain_text("not written")

    await own.get_by_role("button", name="Edit SOUL.md").click()
    text = own.get_by_role("textbox", name="Text of SOUL.md")
    await expect(text).to_have_value("""Calm, direct and helpful. You have opinions and say why; you admit mistakes without fuss.
You do not flatter, and you do not lecture.
""")
    await text.fill("x" * 20_005)
    await expect(own.get_by_text("Too long by 5 characters")).to_be_visible()
    await expect(own.get_by_role("button", name="Save SOUL.md")).to_be_disabled()
    await text.fill("A dry wit.")
    await expect(own.get_by_text("10 of 20,000")).to_be_visible()
    await own.get_by_role("button", name="Save SOUL.md").click()
    await expect(text).not_to_be_visible()
    await expect(own.get_by_role("listitem", name="SOUL.md")).to_contain_text("10 characters")
    await page.get_by_text("The whole system prompt,").click()
    shown = page.get_by_label("The whole system prompt", exact=True)
    await expect(shown).to_contain_text("A dry wit.")
    await expect(page.get_by_text("Nobody yet: a user is met in their first chat.")).to_be_visible()

    upstream.reply(calls=(call("write_file", path="USER.md", content="- Name: Ada"),))
    upstream.reply("Welcome, Ada.")
    await page.get_by_role("main").get_by_role("link", name="Chat", exact=True).click()
    await visitor.say("I am Ada.")
    await expect(page.get_by_text("Welcome, Ada.")).to_be_visible()

    await visitor.open(f"/agents/{agent.id}")
    users = page.get_by_role("list", name="Users it has met")
    await users.get_by_role("button", name="Files of ada").click()
    files = page.get_by_role("list", name="Files of ada")
    await expect(files.get_by_role("listitem")).to_have_count(2)
    await files.get_by_role("button", name="Read BOOTSTRAP.md").click()
    await expect(files.get_by_label("Text of BOOTSTRAP.md")).to_contain_text("first time")
    await files.get_by_role("button", name="Edit USER.md").click()
    await expect(files.get_by_role("textbox")).to_have_value("- Name: Ada")
    await files.get_by_role("textbox").fill("- Name: Ada Lovelace")
    await files.get_by_role("button", name="Save USER.md").click()
    await expect(files.get_by_role("listitem", name="USER.md")).to_contain_text("20 characters")
    assert visitor.complaints == []


async def test_on_a_phone_nothing_is_wider_than_the_screen(visitor: Visitor) -> None:
    page, agent = visitor.page, await hire(visitor)
    await visitor.sign_in()
    await expect(page.get_by_role("navigation")).to_be_visible()
    await page.set_viewport_size(NARROW)
    await visitor.open(f"/agents/{agent.id}")
    own = page.get_by_role("list", name="Context files")
    await own.get_by_role("button", name="Edit USER_PREDEFINED.md").click()
    await expect(own.get_by_role("button", name="Save USER_PREDEFINED.md")).to_be_visible()
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= NARROW["width"]


async def test_an_agent_without_files_is_given_some(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.sign_in()
    await page.get_by_role("navigation").get_by_text("Agents").click()
    await page.get_by_role("link", name="scribe").click()
    await expect(page.get_by_text("This agent keeps none")).to_be_visible()
    await page.get_by_role("combobox", name="Kind").click()
    await page.get_by_role("option", name="Predefined").click()
    await expect(page.get_by_role("switch", name="Context files")).to_be_checked()
    await page.get_by_role("button", name="Save", exact=True).click()
    own = page.get_by_role("list", name="Context files")
    await expect(own.get_by_role("button", name="Edit SOUL.md")).to_be_visible()
    assert visitor.complaints == []
