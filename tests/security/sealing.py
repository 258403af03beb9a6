"""Rows with sealed secrets, as servers with other keys left them."""

from collections.abc import Mapping
from uuid import UUID, uuid4

import asyncpg

from goclaw.models.sealed import SealedColumn
from goclaw.security.keys import Key
from goclaw.security.vault import Vault
from tests.support.vaults import vault_of

PROVIDER = """insert into providers (id, name, provider_type, source, enabled, settings, api_key,
    created_by, created_at, updated_at)
    values ($1, $2, 'openai_compat', 'api', false, '{}', $3, 'ada', now(), now())"""
ANSWER = """insert into idempotent_requests
    (actor, operation, key, request_hash, result_id, secret, created_at)
    values ('ada', 'create_api_key', $2, '', $1, $3, now())"""
TOOL = """insert into builtin_tools (id, name, display_name, description, category, enabled,
    settings, secrets, requires, created_at, updated_at)
    values ($1, $2, 'A tool', '', 'test', false, '{}', $3, '{}', now(), now())"""
CRON = """insert into cron_jobs (id, agent_id, user_id, name, message, kind, timezone, isolated,
    enabled, grace_s, delete_after_run, delivery_secret, anchor, failures, created_at, updated_at)
    values ($1, gen_random_uuid(), 'ada', $2, 'Wake up.', 'every', 'UTC', false, false, 60, false,
        $3, now(), 0, now(), now())"""
INSERT = {
    SealedColumn.PROVIDER_KEY: PROVIDER,
    SealedColumn.ANSWER_SECRET: ANSWER,
    SealedColumn.TOOL_SECRETS: TOOL,
    SealedColumn.CRON_SECRET: CRON,
}
ALONE = {"session_replication_role": "replica"}
"""Rows may name others that are not there."""

SECRET = "sk-planted-secret-of-{}"


async def add_text(
    dsn: str, text: str | None, name: str = "row", place: SealedColumn = SealedColumn.PROVIDER_KEY
) -> UUID:
    """A row that holds `text` where its secret should be."""
    id = uuid4()
    await execute(dsn, INSERT[place], id, name, text)
    return id


async def add_sealed(
    dsn: str,
    key: Key,
    count: int = 1,
    place: SealedColumn = SealedColumn.PROVIDER_KEY,
    name: str = "row",
) -> dict[UUID, str]:
    """The secrets by row."""
    vault = vault_of(key)
    secrets = {uuid4(): SECRET.format(f"{name}-{number}") for number in range(count)}
    rows = [
        (id, f"{name}-{number}", vault.seal(secret, place, id))
        for number, (id, secret) in enumerate(secrets.items())
    ]
    connection = await asyncpg.connect(dsn, server_settings=ALONE)
    try:
        await connection.executemany(INSERT[place], rows)
    finally:
        await connection.close()
    return secrets


async def execute(dsn: str, statement: str, *arguments: object) -> None:
    connection = await asyncpg.connect(dsn, server_settings=ALONE)
    try:
        await connection.execute(statement, *arguments)
    finally:
        await connection.close()


async def texts(dsn: str, place: SealedColumn = SealedColumn.PROVIDER_KEY) -> dict[UUID, str]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            f"select {place.row}, {place.column} from {place.table}"
            f" where {place.column} is not null"
        )
    finally:
        await connection.close()
    return {row[0]: row[1] for row in rows}


async def opened(
    dsn: str, vault: Vault, place: SealedColumn = SealedColumn.PROVIDER_KEY
) -> dict[UUID, str]:
    """The secrets by row; raises Unavailable when one cannot be read."""
    return {id: vault.open(text, place, id) for id, text in (await texts(dsn, place)).items()}


def under(key: Key, found: Mapping[UUID, str]) -> int:
    return sum(text.startswith(f"v1:{key.id}:") for text in found.values())
