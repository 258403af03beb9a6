"""A chat: words as they come, what went wrong, and the trace of it."""

import re

from playwright.async_api import Locator, WebSocketRoute, expect

from tests.upstream import Script, ScriptedUpstream
from tests.web.conftest import Visitor

ANSWER = "Lobsters have **two claws**: a crusher 🦞 and a pincer."
SHOWN = "Lobsters have two claws: a crusher 🦞 and a pincer."
SLOW = Script(text=ANSWER, deltas=20, every=0.15)


async def begun(visitor: Visitor, upstream: ScriptedUpstream) -> Locator:
    """An answer that has begun, and takes three seconds."""
    upstream.default = SLOW
    await visitor.enter()
    await visitor.say("Why two claws?")
    answer = visitor.page.locator(".markdown")
    await expect(answer).to_contain_text("Lobsters")
    return answer


async def test_an_answer_streams_and_leaves_a_trace(
    visitor: Visitor, upstream: ScriptedUpstream
) -> None:
    page = visitor.page
    answer = await begun(visitor, upstream)
    assert "pincer" not in await answer.inner_text()
    await expect(page.get_by_label("Stop the answer")).to_be_visible()
    await expect(answer).to_have_text(SHOWN)
    await expect(answer.locator("strong")).to_have_text("two claws")
    await expect(page.get_by_label("Send")).to_be_visible()
    await expect(page).to_have_url(re.compile("/chat/[0-9a-f-]{36}$"))

    await page.get_by_role("link", name="Trace", exact=True).click()
    await expect(page.get_by_text("Completed").first).to_be_visible()
    spans = page.get_by_role("listbox", name="Spans over time")
    chosen = spans.get_by_role("option", selected=True)
    await expect(chosen).to_have_accessible_name(re.compile("^Model call scripted-1"))
    await expect(page.get_by_label(re.compile("^Span "))).to_contain_text(SHOWN)
    await chosen.press("Home")
    await expect(spans.get_by_role("option").first).to_be_focused()
    await expect(spans.get_by_role("option").first).to_have_attribute("aria-selected", "true")
    assert visitor.complaints == []


async def test_who_writes_on_waits_for_an_agent_that_takes_nothing_meanwhile(
    visitor: Visitor, upstream: ScriptedUpstream
) -> None:
    """It has no tools, so its answer is its only step."""
    page = visitor.page
    answer = await begun(visitor, upstream)
    message, send = page.get_by_label("Message", exact=True), page.get_by_label("Send")
    await expect(message).to_have_attribute("placeholder", re.compile("when this answer has ended"))
    await message.fill("And eight legs?")
    await expect(send).to_be_disabled()
    await expect(answer).to_have_text(SHOWN)
    await expect(send).to_be_enabled()
    await send.click()
    await expect(answer).to_have_count(2)
    assert visitor.complaints == []


async def test_a_conversation_is_there_after_a_reload(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.enter()
    await visitor.say("first")
    await expect(page.locator(".markdown")).to_have_count(1)
    await expect(page.get_by_label("Send")).to_be_visible()
    await visitor.say("second")
    await expect(page.locator(".markdown")).to_have_count(2)
    await expect(page.get_by_label("Send")).to_be_visible()
    await page.reload()
    log = page.get_by_role("log")
    await expect(page.locator(".markdown")).to_have_count(2)
    await expect(log.get_by_text("first", exact=True)).to_have_count(1)
    await expect(log.get_by_text("second", exact=True)).to_have_count(1)


async def test_a_lost_connection_loses_nothing_of_an_answer(
    visitor: Visitor, upstream: ScriptedUpstream
) -> None:
    page = visitor.page
    sockets: list[WebSocketRoute] = []

    def pass_on(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server()

    await page.route_web_socket(re.compile("/graphql$"), pass_on)
    upstream.default = SLOW
    await visitor.enter()
    await visitor.say("Why two claws?")
    await expect(page.locator(".markdown")).to_contain_text("Lobsters")
    await sockets[-1].close(code=1012, reason="gone")
    await expect(page.get_by_label("Live connection: Reconnecting")).to_be_visible()
    await expect(page.get_by_label("Live connection: Connected")).to_be_visible()
    await expect(page.locator(".markdown")).to_have_text(SHOWN)
    await expect(page.get_by_label("Send")).to_be_visible()
    assert len(sockets) == 2


async def test_an_answer_can_be_stopped(visitor: Visitor, upstream: ScriptedUpstream) -> None:
    page = visitor.page
    upstream.default = Script(text=ANSWER, deltas=30, every=0.5)
    await visitor.enter()
    await visitor.say("Why two claws?")
    await expect(page.locator(".markdown")).to_contain_text("L")
    await page.get_by_label("Stop the answer").click()
    await expect(page.get_by_text("The answer was stopped")).to_be_visible()
    await expect(page.get_by_label("Send")).to_be_visible()


async def test_a_failure_is_shown_as_one_and_can_be_tried_again(
    visitor: Visitor, upstream: ScriptedUpstream
) -> None:
    page = visitor.page
    upstream.default = Script(status=401, message="bad key")
    await visitor.enter()
    await visitor.say("Why two claws?")
    alert = page.get_by_role("alert")
    await expect(alert).to_contain_text("The answer failed")
    await expect(alert).to_contain_text("refused its API key")
    await expect(alert.get_by_role("link", name="Go to providers")).to_be_visible()
    await expect(page.locator(".markdown")).to_have_count(0)

    upstream.default = Script(text=ANSWER)
    await alert.get_by_role("button", name="Send it again").click()
    await expect(page.locator(".markdown")).to_have_text(SHOWN)


async def test_markup_of_an_answer_is_text(visitor: Visitor, upstream: ScriptedUpstream) -> None:
    page = visitor.page
    evil = "<img src=x onerror=\"document.title='gotcha'\"> [link](javascript:alert(1))"
    upstream.default = Script(text=evil)
    await visitor.enter()
    await visitor.say("hello")
    await expect(page.locator(".markdown")).to_contain_text("link")
    assert await page.locator(".markdown img").count() == 0
    assert await page.locator(".markdown a[href^=javascript]").count() == 0
    assert await page.title() != "gotcha"


async def test_a_chat_is_renamed_and_deleted(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.enter()
    await visitor.say("first")
    await expect(page.locator(".markdown")).to_have_count(1)
    await page.get_by_label(re.compile("^Actions for ")).click()
    await page.get_by_role("menuitem", name="Rename").click()
    await page.get_by_role("textbox", name="Name").fill("Claws")
    await page.get_by_role("button", name="Rename").click()
    chats = page.get_by_role("list", name="Chats")
    await expect(chats.get_by_role("link", name="Claws")).to_be_visible()

    await page.get_by_label("Actions for Claws").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await page.get_by_role("button", name="Delete chat").click()
    await expect(page).to_have_url(re.compile("/chat$"))
    await expect(page.get_by_text("Your chats appear here")).to_be_visible()
