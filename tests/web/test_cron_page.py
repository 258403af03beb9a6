"""Cron jobs from making one to its history, on a wide screen and on a phone."""

import re

from playwright.async_api import expect

from tests.web.conftest import Visitor


async def test_a_job_is_made_run_paused_changed_and_deleted(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.sign_in()
    await page.get_by_role("navigation").get_by_text("Cron jobs").click()
    await page.get_by_role("button", name="New job").first.click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Create job").click()
    await expect(dialog.get_by_text("Give it a name")).to_be_visible()
    await dialog.get_by_label("Name").fill("Morning report")
    await dialog.get_by_role("combobox", name="Agent").click()
    await page.get_by_role("option", name="scribe").click()
    await dialog.get_by_label("What the agent is asked").fill("What is new?")
    await dialog.get_by_label("Expression").fill("0 9 * * 1-5 *")
    await dialog.get_by_role("button", name="Create job").click()
    await expect(dialog.get_by_text("Five fields")).to_be_visible()
    await dialog.get_by_label("Expression").fill("61 9 * * *")
    await dialog.get_by_role("button", name="Create job").click()
    await expect(dialog.get_by_text("no cron expression")).to_be_visible()
    await dialog.get_by_label("Expression").fill("0 9 * * 1-5")
    await dialog.get_by_role("combobox", name="Time zone").fill("Europe/Berl")
    await page.get_by_role("option", name="Europe/Berlin").click()
    await dialog.get_by_role("button", name="Create job").click()

    row = page.get_by_role("row", name=re.compile("Morning report"))
    await expect(row).to_contain_text("0 9 * * 1-5 (Europe/Berlin)")
    await expect(row).to_contain_text("never")
    await row.get_by_role("button", name="Run Morning report now").click()
    await expect(row).to_contain_text("Completed")

    await choose(visitor, "History")
    await expect(dialog).to_contain_text("asked for by ada")
    await expect(dialog.get_by_role("link", name="Trace")).to_be_visible()
    await page.keyboard.press("Escape")
    await choose(visitor, "Pause")
    await expect(row).to_contain_text("Paused")
    await choose(visitor, "Go on")
    await expect(row).not_to_contain_text("Paused")

    await choose(visitor, "Change")
    await dialog.get_by_text("Interval").click()
    await dialog.get_by_label("Every").fill("2")
    await dialog.get_by_role("button", name="Save job").click()
    await expect(row).to_contain_text("every 2 hours")

    await page.set_viewport_size({"width": 390, "height": 844})
    card = page.get_by_role("listitem").filter(has_text="Morning report")
    await expect(card).to_contain_text("every 2 hours")
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    await page.set_viewport_size({"width": 1280, "height": 800})

    await choose(visitor, "Delete")
    await dialog.get_by_role("button", name="Delete job").click()
    await expect(page.get_by_text("No jobs yet")).to_be_visible()
    # The one complaint is the expression that the gateway refused, if any.
    assert [text for text in visitor.complaints if "400" not in text] == []


async def choose(visitor: Visitor, what: str) -> None:
    """From the menu of the job."""
    await visitor.page.get_by_role("button", name="More for Morning report").click()
    await visitor.page.get_by_role("menuitem", name=what).click()
