"""Keys from making to revoking, where one is signed in, who did what, and how safe it is."""

import re

import aiohttp
from playwright.async_api import expect

from tests.web.conftest import Visitor


async def is_known(visitor: Visitor, secret: str) -> bool:
    """Whether the gateway takes the key."""
    headers = {"Authorization": f"Bearer {secret}"}
    url = f"{visitor.server.url}/graphql"
    async with aiohttp.ClientSession(headers=headers) as http:
        async with http.post(url, json={"query": "{ me { userId } }"}) as answer:
            return "errors" not in await answer.json()


async def make_key(visitor: Visitor, name: str, scope: str = "Write") -> str:
    page = visitor.page
    await visitor.open("/keys")
    await page.get_by_role("button", name="New key").first.click()
    await page.get_by_label("Name").fill(name)
    await page.get_by_role("checkbox", name=scope, exact=True).check()
    await page.get_by_role("button", name="Create key").click()
    secret = await page.get_by_label("The new key").inner_text()
    await page.get_by_role("button", name="I have stored it").click()
    return secret


async def test_a_key_is_bound_and_expires_as_its_form_says(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.sign_in()
    await page.get_by_role("navigation").get_by_text("API keys").click()
    await page.get_by_role("button", name="New key").first.click()
    await page.get_by_label("Name").fill("report")
    await page.get_by_role("combobox", name="Expires").click()
    await page.get_by_role("option", name="On a date").click()
    await page.get_by_role("combobox", name="Agents").click()
    await page.get_by_role("option", name="scribe").click()
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Create key").click()
    await expect(page.get_by_text("Choose the last day on which the key works")).to_be_visible()
    await page.get_by_label("Last day").fill("2060-01-31")
    await page.get_by_role("checkbox", name="Administrator").check()
    await page.get_by_role("button", name="Create key").click()
    await expect(page.get_by_text("An administrator's key reaches all agents")).to_be_visible()
    await page.get_by_role("checkbox", name="Administrator").uncheck()
    await page.get_by_role("button", name="Create key").click()
    await page.get_by_role("button", name="I have stored it").click()
    row = page.get_by_role("row", name=re.compile("report"))
    await expect(row).to_contain_text("scribe")
    await expect(row).to_contain_text(re.compile(r"expires in \d+ years"))
    await expect(row).to_contain_text("never")
    assert visitor.complaints == []


async def test_a_key_is_rotated_with_grace_and_revoked(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.sign_in()
    await expect(page.get_by_label("Signed in as ada")).to_be_visible()
    first = await make_key(visitor, "report")
    assert await is_known(visitor, first)

    await page.get_by_role("button", name="Rotate report").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("goes on working for one day")
    await dialog.get_by_role("combobox").click()
    await page.get_by_role("option", name="Not at all").click()
    await expect(dialog).to_contain_text("refused at once")
    await dialog.get_by_role("combobox").click()
    await page.get_by_role("option", name="One hour").click()
    await page.get_by_role("button", name="Rotate key").click()
    second = await page.get_by_label("The new key").inner_text()
    await page.get_by_role("button", name="I have stored it").click()
    row = page.get_by_role("row", name=re.compile("report"))
    await expect(row).to_contain_text(re.compile(r"old secret ends in (1 hour|\d+ minutes)"))
    assert first != second
    assert await is_known(visitor, first)
    assert await is_known(visitor, second)

    await page.get_by_role("button", name="Revoke report").click()
    await expect(dialog).to_contain_text("The secret before the last rotation ends too")
    await page.get_by_role("button", name="Revoke key").click()
    await expect(row).to_contain_text("Revoked")
    assert not await is_known(visitor, first)
    assert not await is_known(visitor, second)


async def test_all_other_browsers_are_signed_out_at_once(visitor: Visitor) -> None:
    page = visitor.page
    assert page.context.browser is not None
    others = [Visitor(await page.context.browser.new_page(), visitor.server) for _ in range(2)]
    for other in others:
        await other.sign_in()
        await expect(other.page.get_by_label("Signed in as ada")).to_be_visible()
    await visitor.sign_in()
    await expect(page.get_by_label("Signed in as ada")).to_be_visible()
    await visitor.open("/sessions")
    await expect(page.get_by_role("button", name=re.compile("^End the session"))).to_have_count(2)
    end = page.get_by_role("button", name="End all others")
    await end.click()
    await page.get_by_role("dialog").get_by_role("button", name="End all others").click()
    await expect(end).to_have_count(0)
    await expect(page.get_by_text("This browser")).to_be_visible()
    for other in others:
        await expect(other.page.get_by_text("You were signed out")).to_be_visible()
        await other.page.close()
    assert visitor.complaints == []


async def test_activity_is_filtered_by_the_address_and_cleared(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.sign_in(user_id="")
    await page.get_by_role("navigation").get_by_text("Activity").click()
    table = page.get_by_role("table", name="Activity")
    await expect(table).to_contain_text("Agent made")
    await expect(table).to_contain_text("Signed in")
    await page.get_by_role("combobox", name="Kind of thing").click()
    await page.get_by_role("option", name="Signed-in browser").click()
    await expect(table).not_to_contain_text("Agent made")
    await page.get_by_role("combobox", name="Time").click()
    await page.get_by_role("option", name="Last hour").click()
    await expect(page).to_have_url(re.compile(r"/activity\?kind=web_session&time=hour$"))
    await page.reload()
    await expect(table).to_contain_text("Signed in")
    await expect(table).not_to_contain_text("Agent made")
    await page.get_by_label("Who", exact=True).fill("nobody-of-that-name")
    await expect(page.get_by_text("Nothing matches")).to_be_visible()
    await expect(page).to_have_url(re.compile("who=nobody-of-that-name"))
    await page.get_by_role("button", name="Clear filters").click()
    await expect(table).to_contain_text("Agent made")
    await expect(page.get_by_label("Who", exact=True)).to_have_value("")
    await expect(page).to_have_url(re.compile("/activity$"))
    assert visitor.complaints == []


async def test_administrators_see_how_safe_the_gateway_is(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.sign_in()
    await expect(page.get_by_label("Signed in as ada")).to_be_visible()
    await make_key(visitor, "everything", "Administrator")
    await page.get_by_role("navigation").get_by_text("Security").click()
    findings = page.get_by_role("list", name="Findings").get_by_role("listitem")
    keys = findings.filter(has_text="Administrator keys:")
    await expect(keys).to_contain_text("of 1 keys that work")
    sign_in = findings.filter(has_text="Sign-in:")
    await expect(sign_in).to_contain_text("Warning")
    await expect(sign_in).to_contain_text("What to do: set GOCLAW_GATEWAY_TOKEN")
    await expect(findings.filter(has_text="Proxies:")).to_contain_text("Good")
    await expect(page.get_by_text("checks found nothing to worry about")).to_be_visible()
    await page.get_by_role("button", name="Check again").click()
    await expect(keys).to_be_visible()

    reader = await make_key(visitor, "reader", "Read")
    assert page.context.browser is not None
    guest = Visitor(await page.context.browser.new_page(), visitor.server)
    await guest.sign_in(reader)
    await expect(guest.page.get_by_label("Signed in as ada")).to_be_visible()
    await expect(guest.page.get_by_role("navigation").get_by_text("Security")).to_have_count(0)
    await guest.open("/security")
    await expect(guest.page.get_by_text("For administrators")).to_be_visible()
    await guest.page.close()
    assert visitor.complaints == []
