"""What the server writes and tells has passed the scrubber: errors, events, audit, traces."""

import asyncpg
import pytest

from goclaw.core.errors import GatewayError, UpstreamFailed
from goclaw.core.host import Host
from goclaw.models.agents import AgentCreate
from goclaw.providers.config import ProviderConfig
from goclaw.providers.failures import failed_inside, garbage, refused
from goclaw.resolvers.agents import create_agent
from goclaw.resolvers.chat import start_chat
from goclaw.resolvers.services import Services
from tests.runtime.test_chat_runs import said
from tests.support.callers import add_agent, add_provider, context
from tests.upstream import ScriptedUpstream

KEY = "sk-" + "proj-" + "aB3" * 12
HELD = "sk-upstream-secret"
"""The key of the provider that `add_provider` makes."""


async def column(host: Host, statement: str) -> list[str]:
    connection = await asyncpg.connect(host.dsn)
    try:
        return [str(row[0]) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


@pytest.mark.parametrize("fails", ["refused", "inside", "garbage"])
def test_what_a_vendor_says_is_scrubbed(fails: str) -> None:
    config = ProviderConfig("mine", "openai_compat", "https://x.example", "own-key-of-the-provider")
    said = f"bad request: Authorization: Bearer abc123abc123, {KEY}, own-key-of-the-provider"
    errors: dict[str, GatewayError] = {
        "refused": refused(config, 400, {}, b'{"error": {"message": "' + said.encode() + b'"}}'),
        "inside": failed_inside(config, {"message": said}),
        "garbage": garbage(config, said),
    }
    text = str(errors[fails])
    assert "bad request" in text
    for secret in (KEY, "abc123abc123", "own-key-of-the-provider"):
        assert secret not in text


@pytest.mark.leaky("what people and models say is kept as it was said")
async def test_weakness_47_traces_hold_no_secret_and_messages_what_the_user_said(
    services: Services, upstream: ScriptedUpstream, host: Host
) -> None:
    await add_agent(services, await add_provider(services, upstream))
    question, answer = f"Is {KEY} a key?", f"Yes, like {HELD}."
    upstream.reply(text=answer)
    run = await start_chat(context(services), said(("user", question)))
    assert (await run.reply()).content == answer
    await services.traces.flush()

    for table in ("traces", "spans"):
        shown = await column(host, f"select input_preview || output_preview from {table}")
        assert set(shown) == {"Is [REDACTED] a key?Yes, like [REDACTED]."}
    messages = await column(host, "select content from messages order by seq")
    assert messages == [question, answer]


async def test_weakness_47_errors_of_runs_hold_no_secret(
    services: Services, upstream: ScriptedUpstream, host: Host
) -> None:
    await add_agent(services, await add_provider(services, upstream))
    upstream.fail(400, f"unknown field, sent password=hunter2x and {KEY}")
    run = await start_chat(context(services), said(("user", "Hello?")))
    with pytest.raises(UpstreamFailed) as caught:
        await run.reply()
    await services.traces.flush()
    texts = [str(caught.value)]
    for statement in (
        "select error_message from runs",
        "select error from traces",
        "select error from spans",
    ):
        texts += await column(host, statement)
    for text in texts:
        assert "unknown field" in text
        assert "hunter2x" not in text
        assert KEY not in text


async def test_events_and_audit_hold_no_secret(
    services: Services, upstream: ScriptedUpstream, host: Host
) -> None:
    provider = await add_provider(services, upstream)
    ctx = context(services)
    agent = await create_agent(ctx, AgentCreate(key="scribe", provider_id=provider.id, model="m"))
    async with ctx.db() as db:
        ctx.announce(db, "agent.updated", agent, agent_id=agent.id, was=f"x {KEY}", password="p")
    for statement in (
        "select payload from events where kind = 'agent.updated'",
        "select details from activity_logs where action = 'agent.updated'",
    ):
        [text] = await column(host, statement)
        assert "x [REDACTED]" in text
        assert KEY not in text
        assert '"password": "[REDACTED]"' in text


async def test_the_server_knows_its_own_secrets(services: Services, host: Host) -> None:
    token = host.settings.gateway_token
    assert token is not None
    told = services.scrubber.scrub(f"{token.get_secret_value()} {'k' * 32}")
    assert told == "[REDACTED] [REDACTED]"
