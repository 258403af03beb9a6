"""Without an encryption key, or under another one: nothing is stored in the open, nothing that is
stored is lost, and no ciphertext is handed out.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import asyncpg
import pytest
from pydantic import SecretStr

from goclaw.app.services import open_services
from goclaw.core.callers import system_caller
from goclaw.core.host import Host
from goclaw.models.sealed import SealedColumn
from goclaw.resolvers.context import Context
from goclaw.resolvers.encryption import rotate_encryption
from goclaw.security.key_file import KeyFile
from tests.doors.calling import Answer, Caller
from tests.security.sealing import INSERT, add_text, execute, texts
from tests.security.test_vault import KEY as LEGACY_KEY
from tests.security.test_vault import LEGACY
from tests.support.callers import add_provider
from tests.support.server import RunningServer, running_server
from tests.support.vaults import key_of, vault_of
from tests.upstream import ScriptedUpstream

CREATE = "mutation ($input: CreateProviderInput!) { createProvider(input: $input) { id } }"
UPDATE = (
    "mutation ($input: UpdateProviderInput!) { updateProvider(input: $input) { id hasApiKey } }"
)
NEW_KEY = "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }"
MODELS = "query ($id: UUID!) { provider(id: $id) { models { id } } }"
NEW = {"name": "new", "providerType": "OPENAI_COMPAT"}
ROWS = """select name, updated_at from providers union all
    select name, updated_at from api_keys order by 1"""
PLACE = SealedColumn.PROVIDER_KEY


@pytest.fixture
async def keyless(host: Host) -> AsyncIterator[RunningServer]:
    settings = host.settings.model_copy(update={"encryption_key": None})
    async with running_server(replace(host, settings=settings)) as server:
        yield server


@pytest.fixture
async def caller(keyless: RunningServer, http: aiohttp.ClientSession) -> Caller:
    return Caller(http, keyless.url, keyless.token, "ada")


async def create(caller: Caller, _: str) -> Answer:
    sent = {"name": "new", "providerType": "OPENAI_COMPAT", "apiKey": "sk-planted"}
    return await caller.graphql(CREATE, input=sent)


async def create_v1(caller: Caller, _: str) -> Answer:
    sent = {"name": "new", "provider_type": "openai_compat", "api_key": "sk-planted"}
    return await caller.rest("POST", "/v1/providers", sent)


async def update(caller: Caller, id: str) -> Answer:
    return await caller.graphql(UPDATE, input={"id": id, "apiKey": "sk-planted"})


async def update_v1(caller: Caller, id: str) -> Answer:
    return await caller.rest("PUT", f"/v1/providers/{id}", {"api_key": "sk-planted"})


async def new_key(caller: Caller, _: str) -> Answer:
    sent = {"name": "new", "scopes": ["READ"], "idempotencyKey": "once"}
    return await caller.graphql(NEW_KEY, input=sent)


async def new_key_v1(caller: Caller, _: str) -> Answer:
    sent = {"name": "new", "scopes": ["operator.read"]}
    return await caller.rest("POST", "/v1/api-keys", sent, headers={"Idempotency-Key": "once"})


@pytest.mark.parametrize("ask", [create, create_v1, update, update_v1, new_key, new_key_v1])
async def test_weakness_23_no_secret_is_stored_without_a_key(
    caller: Caller, dsn: str, ask: Any
) -> None:
    id = await add_text(dsn, None)
    before = await contents(dsn)
    answer = await ask(caller, str(id))
    assert answer.code == "encryption_key_missing"
    assert await contents(dsn) == before


async def contents(dsn: str) -> list[Any]:
    """Every secret, and every row that could have got one."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(ROWS)
    finally:
        await connection.close()
    return [*map(tuple, rows), *[await texts(dsn, place) for place in SealedColumn]]


async def test_weakness_23_an_empty_key_is_refused_or_means_none(
    server: RunningServer, http: aiohttp.ClientSession, dsn: str
) -> None:
    """Rather than stored as one. At /v1 a record that is written back has it empty."""
    caller = Caller(http, server.url, server.token, "ada")
    sealed = server.services.vault.seal("sk-planted", PLACE, id := uuid4())
    await execute(dsn, INSERT[PLACE], id, "old", sealed)
    before = await contents(dsn)
    for answer in (
        await caller.graphql(UPDATE, input={"id": str(id), "apiKey": ""}),
        await caller.graphql(CREATE, input=NEW | {"apiKey": ""}),
    ):
        assert answer.code == "invalid_input"
    assert await contents(dsn) == before

    new = {"name": "new", "provider_type": "openai_compat", "api_key": ""}
    assert (await caller.rest("POST", "/v1/providers", new)).status == 201
    assert (await caller.rest("PUT", f"/v1/providers/{id}", {"api_key": ""})).status == 200
    assert await texts(dsn) == {id: sealed}


async def add_reachable(dsn: str, upstream: ScriptedUpstream, text: str) -> UUID:
    id = await add_text(dsn, text)
    await execute(dsn, "update providers set api_base = $1, enabled = true", upstream.base_url())
    return id


@pytest.mark.leaky("a sealed column holds plaintext")
@pytest.mark.parametrize("kind", ["plaintext", "empty", "of another key", "of another row", LEGACY])
async def test_weakness_23_no_vendor_is_sent_what_is_not_its_key(
    server: RunningServer,
    http: aiohttp.ClientSession,
    dsn: str,
    upstream: ScriptedUpstream,
    kind: str,
) -> None:
    text = {
        "plaintext": "sk-in-the-open",
        "empty": "",
        "of another key": vault_of(key_of("x")).seal("sk-planted", PLACE, uuid4()),
        "of another row": server.services.vault.seal("sk-planted", PLACE, uuid4()),
    }.get(kind, kind)
    id = await add_reachable(dsn, upstream, text)
    caller = Caller(http, server.url, server.token, "ada")
    answers = [
        await caller.rest("GET", f"/v1/providers/{id}/models"),
        await caller.graphql(MODELS, id=str(id)),
    ]
    for answer in answers:
        assert answer.code == "secret_unreadable"
        assert not text or text not in answer.text
    assert upstream.requests == []


async def test_a_key_of_the_older_server_is_used_and_renewed_when_its_row_is_saved(
    host: Host, http: aiohttp.ClientSession, upstream: ScriptedUpstream
) -> None:
    old = SecretStr(LEGACY_KEY.raw.hex())
    settings = host.settings.model_copy(update={"old_encryption_keys": (old,)})
    id = await add_reachable(host.dsn, upstream, LEGACY)
    async with running_server(replace(host, settings=settings)) as server:
        caller = Caller(http, server.url, server.token, "ada")
        for _ in range(2):
            assert (await caller.rest("GET", f"/v1/providers/{id}/models")).status == 200
            sent = upstream.requests[-1].headers["authorization"]
            assert sent == 'Bearer {"GH_TOKEN":"x"}'
            answer = await caller.graphql(UPDATE, input={"id": str(id), "displayName": "Moved"})
            assert answer.data["updateProvider"]["hasApiKey"]
            assert server.services.vault.is_current((await texts(host.dsn))[id])


async def test_weakness_24_a_row_that_is_saved_keeps_what_cannot_be_read(
    server: RunningServer, http: aiohttp.ClientSession, dsn: str
) -> None:
    """Its key may come back."""
    text = vault_of(key_of("x")).seal("sk-planted", PLACE, uuid4())
    id = await add_text(dsn, text)
    caller = Caller(http, server.url, server.token, "ada")
    answer = await caller.graphql(UPDATE, input={"id": str(id), "displayName": "Mine"})
    assert answer.data["updateProvider"] == {"id": str(id), "hasApiKey": True}
    assert await texts(dsn) == {id: text}


async def test_a_running_server_meets_a_new_key(
    host: Host, http: aiohttp.ClientSession, upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    """Its clients stay, whatever it writes is under the new key, and nobody notices."""
    settings = host.settings.model_copy(update={"encryption_key": None})
    KeyFile(tmp_path).make()
    async with running_server(replace(host, settings=settings, embedded_database=True)) as server:
        caller = Caller(http, server.url, server.token, "ada")
        provider = await add_provider(server.services, upstream)
        path = f"/v1/providers/{provider.id}/models"
        assert (await caller.rest("GET", path)).status == 200
        kept = server.services.clients.client_of(provider)

        async with open_services(server.host, serving=False) as command:
            admin = Context(command, system_caller(), "test")
            rotation = await rotate_encryption(admin, on_moved=lambda *_: None)
        assert (rotation.is_new, rotation.reencrypted, rotation.unreadable) == (True, 1, [])
        assert (await texts(host.dsn))[provider.id].startswith(f"v1:{rotation.key_id}:")

        assert (await caller.rest("GET", path)).status == 200
        assert server.services.clients.client_of(provider) is kept
        another = await add_provider(server.services, upstream, "another")
        sealed = (await texts(host.dsn))[another.id]
        assert sealed.startswith(f"v1:{rotation.key_id}:")
        assert (await caller.rest("GET", f"/v1/providers/{another.id}/models")).status == 200
        for request in upstream.requests:
            assert request.headers["authorization"] == "Bearer sk-upstream-secret"
