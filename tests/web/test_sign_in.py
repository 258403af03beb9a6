"""Getting in, staying in and getting out."""

import re

from playwright.async_api import expect

from tests.web.conftest import Visitor


async def test_a_wrong_token_is_refused_and_says_what_to_do(visitor: Visitor) -> None:
    await visitor.sign_in("wrong")
    alert = visitor.page.get_by_role("alert")
    await expect(alert).to_contain_text("unknown, expired or revoked")
    await expect(alert).to_contain_text("ask for a new key")


async def test_the_token_lasts_as_long_as_the_tab_and_is_in_no_url(visitor: Visitor) -> None:
    page = visitor.page
    visited: list[str] = []
    page.on("request", lambda request: visited.append(request.url))
    page.on("websocket", lambda socket: visited.append(socket.url))
    await visitor.sign_in()
    await expect(page.get_by_label("Live connection: Connected")).to_be_visible()
    await page.reload()
    await expect(page.get_by_label("Signed in as ada")).to_be_visible()
    assert not [url for url in visited if visitor.server.token in url]
    assert await page.evaluate("localStorage.length + document.cookie.length") == 0

    await page.get_by_label("Signed in as ada").click()
    await page.get_by_role("menuitem", name="Sign out").click()
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert visitor.complaints == []


async def test_a_revoked_key_leads_back_to_the_sign_in_page(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.sign_in()
    await page.get_by_role("navigation").get_by_text("API keys").click()
    await page.get_by_role("button", name="New key").first.click()
    await page.get_by_label("Name").fill("short lived")
    await page.get_by_role("button", name="Create key").click()
    secret = await page.get_by_label("The new key").inner_text()

    other = await page.context.browser.new_page()  # type: ignore[union-attr]
    guest = Visitor(other, visitor.server)
    await guest.sign_in(secret)
    await expect(other.get_by_label("Signed in as ada")).to_be_visible()

    await page.get_by_role("button", name="I have stored it").click()
    await page.get_by_role("button", name="Revoke short lived").click()
    await expect(page.get_by_role("dialog")).to_contain_text("refused at once")
    await page.get_by_role("button", name="Revoke key").click()
    await expect(page.get_by_text("Revoked", exact=True)).to_be_visible()

    # Without a click: the server closes the socket of a revoked key within seconds.
    await expect(other.get_by_text("You were signed out")).to_be_visible()
    await other.close()


async def test_without_a_token_everybody_is_straight_in(open_visitor: Visitor) -> None:
    page = open_visitor.page
    await open_visitor.open()
    await expect(page).to_have_url(re.compile("/chat$"))
    await expect(page.get_by_label("Live connection: Connected")).to_be_visible()
    await page.get_by_role("navigation").get_by_text("API keys").click()
    await expect(page.get_by_text("goclaw keys create")).to_be_visible()
    assert open_visitor.complaints == []
