"""The other pages: keys, agents, providers, live events; narrow screens and both schemes."""

import re
from typing import Literal

import aiohttp
import pytest
from playwright.async_api import expect

from tests.upstream import ScriptedUpstream
from tests.web.conftest import Visitor

PAGES = (
    "chat", "agents", "agents/new", "providers", "cron", "tools", "keys", "runs", "delegations",
    "traces", "usage", "live", "activity", "sessions", "security",
)  # fmt: skip


async def test_a_key_is_shown_once_and_works(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.sign_in()
    await page.get_by_role("navigation").get_by_text("API keys").click()
    await page.get_by_role("button", name="New key").first.click()
    await page.get_by_label("Name").fill("report")
    await page.get_by_label("User id (optional)").fill("bob")
    await page.get_by_role("button", name="Create key").click()
    secret = await page.get_by_label("The new key").inner_text()
    await page.get_by_role("button", name="I have stored it").click()
    await expect(page.get_by_text("report", exact=True)).to_be_visible()
    assert secret not in await page.content()

    async with aiohttp.ClientSession() as http:
        headers = {"Authorization": f"Bearer {secret}"}
        query = {"query": "{ me { userId scopes } }"}
        async with http.post(f"{visitor.server.url}/graphql", json=query, headers=headers) as got:
            me = (await got.json())["data"]["me"]
    assert me["userId"] == "bob"
    assert "WRITE" in me["scopes"]
    assert "ADMIN" not in me["scopes"]


async def test_an_agent_is_made_with_a_model_of_its_provider(
    visitor: Visitor, upstream: ScriptedUpstream
) -> None:
    page = visitor.page
    await visitor.sign_in()
    await page.get_by_role("navigation").get_by_text("Agents").click()
    await page.get_by_role("link", name="New agent").click()
    await page.get_by_role("textbox", name="Key", exact=True).fill("scribe")
    await page.get_by_role("combobox", name="Provider").click()
    await page.get_by_role("option", name="scripted").click()
    await page.get_by_role("combobox", name="Model").click()
    await page.get_by_role("option", name=upstream.model_names[0]).click()
    await page.get_by_role("button", name="Create agent").click()
    await expect(page.get_by_text(re.compile("scribe exists already"))).to_be_visible()

    await page.get_by_role("textbox", name="Key", exact=True).fill("poet")
    await page.get_by_role("button", name="Create agent").click()
    await expect(page.get_by_role("link", name="poet", exact=True)).to_be_visible()


async def test_a_provider_is_added_and_verified_and_its_key_never_comes_back(
    visitor: Visitor, upstream: ScriptedUpstream
) -> None:
    page = visitor.page
    await visitor.sign_in()
    await page.get_by_role("navigation").get_by_text("Providers").click()
    await page.get_by_role("link", name="Add provider").click()
    await page.get_by_role("textbox", name="Name", exact=True).fill("second")
    await page.get_by_label("Address").fill(upstream.base_url())
    await page.get_by_label("API key", exact=True).fill("sk-very-secret")
    await page.get_by_role("button", name="Add provider").click()
    await expect(page.get_by_role("heading", name="second")).to_be_visible()
    await page.get_by_role("combobox", name="Model").fill("scripted-small")
    await page.get_by_role("button", name="Verify").click()
    await expect(page.get_by_text("It works")).to_be_visible()
    await expect(page.get_by_label("API key", exact=True)).to_have_value("")
    assert "sk-very-secret" not in await page.content()


async def test_events_appear_as_they_happen_and_can_be_held(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.enter()
    await expect(page.get_by_label("Live connection: Connected")).to_be_visible()
    await visitor.say("hello")
    await expect(page.locator(".markdown")).to_have_count(1)
    await page.get_by_role("navigation").get_by_text("Live").click()
    feed = page.get_by_role("feed")
    await expect(feed.get_by_text("run.started")).to_be_visible()
    await page.get_by_role("button", name="Pause").click()
    held = await feed.get_by_role("article").count()
    await page.get_by_role("navigation").get_by_text("Chat").click()
    await page.get_by_role("navigation").get_by_text("Live").click()
    await expect(feed.get_by_role("article").nth(held - 1)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_fits_a_narrow_screen(
    visitor: Visitor, scheme: Literal["light", "dark"]
) -> None:
    page = visitor.page
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.emulate_media(color_scheme=scheme)
    await visitor.enter()
    await visitor.say("hello")
    await expect(page.locator(".markdown")).to_have_count(1)
    for path in PAGES:
        await visitor.open(f"/{path}")
        await expect(page.get_by_role("main")).to_be_visible()
        await expect(page.locator("[aria-label=Loading]")).to_have_count(0)
        wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not wide, path
    assert await page.locator("html").get_attribute("data-mantine-color-scheme") == scheme
    await page.get_by_label("Open the menu").click()
    await page.get_by_role("navigation").get_by_text("Traces").click()
    await expect(page.get_by_role("heading", name="Traces")).to_be_visible()
    assert visitor.complaints == []


async def test_an_unknown_path_is_the_page_and_says_so(visitor: Visitor) -> None:
    await visitor.sign_in()
    await expect(visitor.page.get_by_label("Signed in as ada")).to_be_visible()
    await visitor.open("/no-such-page")
    await expect(visitor.page.get_by_text("There is no such page")).to_be_visible()
