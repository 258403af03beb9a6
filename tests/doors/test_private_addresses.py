"""Providers whose address is inside: refused where it is named, and where it is used."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from yarl import URL

from goclaw.core.callers import Scope
from tests.doors.calling import Answer, Caller, chat_body
from tests.doors.world import World
from tests.support.callers import add_agent, add_provider
from tests.upstream import ScriptedUpstream

pytestmark = pytest.mark.asyncio(loop_scope="module")

CREATE = "mutation ($input: CreateProviderInput!) { createProvider(input: $input) { id } }"
UPDATE = "mutation ($input: UpdateProviderInput!) { updateProvider(input: $input) { id } }"
VERIFY = """mutation ($input: VerifyProviderInput!) {
    verifyProvider(input: $input) { valid error }
}"""
MODELS = "query ($id: UUID!) { provider(id: $id) { models { id } } }"
SEND = """mutation ($input: SendMessageInput!) {
    sendMessage(input: $input) { id status errorCode }
}"""
STORED = "update providers set api_base = $1 where id = $2"
HOSTS = {
    "loopback": "127.0.0.1:{port}",
    "loopback by name": "localhost:{port}",
    "loopback of IPv6": "[::1]:{port}",
    "loopback in IPv6": "[::ffff:127.0.0.1]:{port}",
    "loopback as a number": "2130706433:{port}",
    "private": "10.0.0.1",
    "link-local": "169.254.1.1",
    "metadata": "169.254.169.254",
    "metadata by name": "metadata.google.internal",
    "metadata of IPv6": "[fd00:ec2::254]",
}
inside = pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def neighbour() -> AsyncIterator[ScriptedUpstream]:
    """A server on this machine that answers whoever reaches it, and that nobody allowed."""
    async with ScriptedUpstream() as upstream:
        yield upstream


@pytest.fixture
def api_base(host: str, neighbour: ScriptedUpstream) -> str:
    return f"http://{host.format(port=URL(neighbour.url).port)}/v1"


def refused(answer: Answer, status: int) -> bool:
    return (answer.status, answer.code) == (status, "host_refused")


async def row(world: World, api_base: str) -> tuple[Caller, UUID, str]:
    """One that was stored before there was a rule, and an agent of it."""
    ada = world.caller(Scope.WRITE)
    number = (await world.fresh(conversation=False))["number"]
    provider = await add_provider(world.services, world.upstream, f"inside-{number}")
    agent = await add_agent(world.services, provider, f"inside-{number}")
    await world.services.database.pool.execute(STORED, api_base, provider.id)
    return ada, provider.id, agent.key


@inside
async def test_weakness_46_no_provider_is_made_with_an_address_inside(
    world: World, neighbour: ScriptedUpstream, api_base: str
) -> None:
    ada, before = world.caller(Scope.WRITE), await world.digest()
    sent = {"name": "inside", "provider_type": "openai_compat", "api_base": api_base}
    rest = await ada.rest("POST", "/v1/providers", sent)
    assert refused(rest, 400)
    graphql = await ada.graphql(
        CREATE, input={"name": "inside", "providerType": "OPENAI_COMPAT", "apiBase": api_base}
    )
    assert refused(graphql, 200)
    assert await world.digest() == before
    assert neighbour.requests == []


@inside
async def test_weakness_46_no_provider_is_moved_to_an_address_inside(
    world: World, neighbour: ScriptedUpstream, api_base: str
) -> None:
    """Nor by who names a new key with it."""
    rows, ada = await world.fresh(conversation=False), world.caller(Scope.WRITE)
    before = await world.digest()
    path, sent = f"/v1/providers/{rows['provider']}", {"api_base": api_base, "api_key": "sk-new"}
    assert refused(await ada.rest("PUT", path, sent), 400)
    changes = {"id": rows["provider"], "apiBase": api_base, "apiKey": "sk-new"}
    assert refused(await ada.graphql(UPDATE, input=changes), 200)
    assert await world.digest() == before
    assert neighbour.requests == []


@inside
async def test_weakness_46_a_stored_address_inside_is_not_asked_for_models(
    world: World, neighbour: ScriptedUpstream, api_base: str
) -> None:
    ada, id, _ = await row(world, api_base)
    assert refused(await ada.rest("GET", f"/v1/providers/{id}/models"), 502)
    assert refused(await ada.graphql(MODELS, id=str(id)), 200)
    assert neighbour.requests == []


@inside
async def test_weakness_46_a_stored_address_inside_is_not_verified(
    world: World, neighbour: ScriptedUpstream, api_base: str
) -> None:
    ada, id, _ = await row(world, api_base)
    rest = await ada.rest("POST", f"/v1/providers/{id}/verify", {"model": "scripted-1"})
    graphql = await ada.graphql(VERIFY, input={"id": str(id), "model": "scripted-1"})
    for answer in (rest.body, graphql.data["verifyProvider"]):
        assert answer["valid"] is False
        assert "GOCLAW_ALLOWED_OUTBOUND_HOSTS" in answer["error"]
    assert neighbour.requests == []


@inside
async def test_weakness_46_a_stored_address_inside_is_not_spoken_to(
    world: World, neighbour: ScriptedUpstream, api_base: str
) -> None:
    ada, _, key = await row(world, api_base)
    body = chat_body("Hello?") | {"model": f"goclaw:{key}"}
    assert refused(await ada.rest("POST", "/v1/chat/completions", body), 502)
    streamed = await ada.rest("POST", "/v1/chat/completions", body | {"stream": True})
    assert "host_refused" in streamed.text
    woken = await ada.rest("POST", f"/v1/agents/{key}/wake", {"message": "Wake up."})
    assert refused(woken, 502)
    assert neighbour.requests == []


@inside
async def test_weakness_46_a_stored_address_inside_is_not_confirmed_by_another_change(
    world: World, neighbour: ScriptedUpstream, api_base: str
) -> None:
    ada, id, _ = await row(world, api_base)
    renamed: dict[str, Any] = {"display_name": "Other"}
    assert refused(await ada.rest("PUT", f"/v1/providers/{id}", renamed), 400)
    away = {"api_base": world.upstream.base_url(), "api_key": "sk-upstream-secret"}
    assert (await ada.rest("PUT", f"/v1/providers/{id}", renamed | away)).status == 200
    assert neighbour.requests == []
