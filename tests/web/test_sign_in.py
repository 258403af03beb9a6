"""Getting in, staying in and getting out."""

import re

from playwright.async_api import expect

from tests.web.conftest import Visitor


async def test_a_wrong_token_is_refused_and_says_what_to_do(visitor: Visitor) -> None:
    await visitor.sign_in("wrong")
    alert = visitor.page.get_by_role("alert")
    await expect(alert).to_contain_text("unknown, expired or revoked")
    await expect(alert).to_contain_text("ask for a new key")


async def test_weakness_16_the_token_is_in_no_storage_and_no_url(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.open()
    # What an earlier version of the page kept.
    old = "sessionStorage.setItem('goclaw:/:credential', '{\"token\":\"old\",\"userId\":\"\"}')"
    await page.evaluate(old)
    visited: list[str] = []
    page.on("request", lambda request: visited.append(request.url))
    page.on("websocket", lambda socket: visited.append(socket.url))
    await visitor.sign_in()
    await expect(page.get_by_label("Live connection: Connected")).to_be_visible()
    await page.reload()
    await expect(page.get_by_label("Signed in as ada")).to_be_visible()
    assert not [url for url in visited if visitor.server.token in url]
    kept = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    assert await page.evaluate(kept) == '[{},{},""]'
    (cookie,) = await page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == (
        "goclaw_session",
        True,
        "Strict",
    )
    assert visitor.server.token not in cookie["value"]

    await page.get_by_label("Signed in as ada").click()
    await page.get_by_role("menuitem", name="Sign out").click()
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert await page.context.cookies() == []
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

    assert page.context.browser is not None
    other = await page.context.browser.new_page()
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


async def test_another_browser_is_seen_and_signed_out(visitor: Visitor) -> None:
    page = visitor.page
    assert page.context.browser is not None
    other = await page.context.browser.new_page()
    guest = Visitor(other, visitor.server)
    await guest.sign_in()
    await expect(other.get_by_label("Signed in as ada")).to_be_visible()

    await visitor.sign_in()
    await page.get_by_label("Signed in as ada").click()
    await page.get_by_role("menuitem", name="My sessions").click()
    await expect(page.get_by_text("This browser")).to_be_visible()
    end = page.get_by_role("button", name="End the session of Chrome on Linux")
    await end.click()
    await page.get_by_role("button", name="End session").click()
    await expect(end).to_be_hidden()
    await expect(other.get_by_text("You were signed out")).to_be_visible()
    await expect(page.get_by_label("Live connection: Connected")).to_be_visible()
    await other.close()
    assert visitor.complaints == []


async def test_the_query_editor_and_the_reference_keep_to_their_policies(visitor: Visitor) -> None:
    """A browser complains about every script or style that the policy forbids."""
    page = visitor.page
    await visitor.sign_in()
    await expect(page.get_by_label("Signed in as ada")).to_be_visible()
    await visitor.open("/graphql")
    await expect(page.locator(".graphiql-container")).to_be_visible()
    await page.get_by_role("button", name=re.compile("Execute query")).click()
    await page.get_by_role("menuitem", name="Hello").click()
    await expect(page.locator(".result-window")).to_contain_text("ada")
    await visitor.open("/docs")
    await expect(page.get_by_role("heading", name="GoClaw API")).to_be_visible()
    assert visitor.complaints == []


async def test_a_script_in_the_page_does_not_run(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.open()
    await page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
        " document.body.append(s); }"
    )
    assert await page.evaluate("window.ran") is None
    assert any("Content Security Policy" in complaint for complaint in visitor.complaints)
