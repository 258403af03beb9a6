"""Chromium in front of a running gateway whose model is scripted."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.support.callers import add_agent, add_provider
from tests.support.server import RunningServer
from tests.upstream import ScriptedUpstream

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 15_000


@dataclass
class Visitor:
    """A browser tab; `complaints` are what it wrote to its console as an error."""

    page: Page
    server: RunningServer
    complaints: list[str] = field(default_factory=list)

    async def open(self, path: str = "/") -> None:
        await self.page.goto(self.server.url + path)

    async def sign_in(self, token: str | None = None, user_id: str = "ada") -> None:
        await self.open()
        await self.page.get_by_label("Gateway token or API key", exact=True).fill(
            self.server.token if token is None else token
        )
        await self.page.get_by_label("User id (optional)").fill(user_id)
        await self.page.get_by_role("button", name="Sign in").click()

    async def enter(self) -> None:
        """Signs in and chooses the agent with the scripted model."""
        await self.sign_in()
        await self.page.get_by_role("combobox", name="Agent").click()
        await self.page.get_by_role("option", name="scribe").click()

    async def say(self, text: str) -> None:
        await self.page.get_by_label("Message", exact=True).fill(text)
        await self.page.keyboard.press("Enter")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    assert path, "Chromium is not installed: apt-get install chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        await browser.close()


async def visitor_of(browser: Browser, server: RunningServer) -> Visitor:
    page = await browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(PATIENCE_MS)
    visitor = Visitor(page, server)
    page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    page.on(
        "console",
        lambda message: (
            visitor.complaints.append(message.text) if message.type == "error" else None
        ),
    )
    return visitor


@pytest.fixture
async def visitor(
    browser: Browser, server: RunningServer, upstream: ScriptedUpstream
) -> AsyncIterator[Visitor]:
    """Before the sign-in page of a gateway with one agent, `scribe`."""
    await add_agent(server.services, await add_provider(server.services, upstream))
    visitor = await visitor_of(browser, server)
    yield visitor
    await visitor.page.close()


@pytest.fixture
async def open_visitor(
    browser: Browser, open_server: RunningServer, upstream: ScriptedUpstream
) -> AsyncIterator[Visitor]:
    """The same where no token is configured."""
    await add_agent(open_server.services, await add_provider(open_server.services, upstream))
    visitor = await visitor_of(browser, open_server)
    yield visitor
    await visitor.page.close()
