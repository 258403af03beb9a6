"""Whether the keys fit what is stored: what a start is refused for, and what only warns."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from goclaw.app.preparation import prepare
from goclaw.core.errors import Unavailable
from goclaw.core.host import Host
from goclaw.models.sealed import SealedColumn
from goclaw.security.key_file import KeyFile
from goclaw.security.key_ring import KeyRing
from goclaw.security.stored_secrets import refuse_unknown_keys
from goclaw.security.vault import Vault
from goclaw.store.database import Database, open_database
from goclaw.store.tables import TABLES
from tests.security.sealing import add_sealed, add_text, execute
from tests.security.test_vault import KEY as LEGACY_KEY
from tests.security.test_vault import LEGACY
from tests.support.vaults import key_of, vault_of

OLD, NEW = key_of("o"), key_of("n")
every_column = pytest.mark.parametrize("place", SealedColumn, ids=str)


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    database = await open_database(dsn, 2, statement_cache=True)
    yield database
    await database.close()


async def refused(database: Database, vault: Vault) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        await refuse_unknown_keys(database, vault)
    return caught.value


@every_column
def test_a_sealed_column_is_a_text_beside_the_uuid_it_is_bound_to(place: SealedColumn) -> None:
    (table,) = [table for table in TABLES if table.__tablename__ == place.table]
    fields = table.model_fields
    assert fields[place.column].annotation == str | None
    assert (fields[place.row].annotation, fields[place.label].annotation) == (UUID, str)


def test_no_column_is_listed_twice() -> None:
    assert len({(place.table, place.column) for place in SealedColumn}) == len(SealedColumn)


@every_column
async def test_known_keys_are_fine(dsn: str, database: Database, place: SealedColumn) -> None:
    await refuse_unknown_keys(database, vault_of())
    await add_sealed(dsn, OLD, 3, place, "old")
    await add_sealed(dsn, NEW, 3, place, "new")
    await add_text(dsn, LEGACY, "legacy", place)
    with capture_logs() as logs:
        await refuse_unknown_keys(database, vault_of(NEW, OLD, LEGACY_KEY))
    assert logs == []


@every_column
async def test_weakness_23_a_missing_key_is_named(
    dsn: str, database: Database, place: SealedColumn
) -> None:
    await add_sealed(dsn, OLD, 5, place)
    await add_sealed(dsn, NEW, 1, place, "fine")
    error = await refused(database, vault_of(NEW))
    assert error.code == "secrets_of_unknown_key"
    label = ("row-", "create_api_key")[place is SealedColumn.ANSWER_SECRET]
    for words in (f"5 of {place} ({label}", f"under key {OLD.id}", "GOCLAW_OLD_ENCRYPTION_KEYS"):
        assert words in str(error)
    assert NEW.id not in str(error)


async def test_weakness_23_no_key_at_all(dsn: str, database: Database, tmp_path: Path) -> None:
    await add_sealed(dsn, OLD)
    error = await refused(database, vault_of())
    assert error.code == "secrets_without_key"
    assert "set GOCLAW_ENCRYPTION_KEY" in str(error)
    error = await refused(database, Vault(KeyRing(file=KeyFile(tmp_path))))
    assert f"put that key back into {tmp_path / 'encryption.key'}" in str(error)


async def test_weakness_23_an_unknown_key_of_the_older_server(dsn: str, database: Database) -> None:
    await add_text(dsn, LEGACY)
    assert "under a key of an older server" in str(await refused(database, vault_of(NEW)))


async def test_a_key_id_alone_is_not_enough(dsn: str, database: Database) -> None:
    await add_sealed(dsn, OLD)
    await execute(dsn, "update providers set api_key = replace(api_key, $1, $2)", OLD.id, NEW.id)
    assert f"under key {NEW.id}" in str(await refused(database, vault_of(NEW)))


@pytest.mark.leaky("a sealed column holds plaintext")
async def test_one_damaged_row_does_not_keep_the_server_from_starting(
    dsn: str, database: Database
) -> None:
    await add_sealed(dsn, NEW, 2, name="fine")
    (id,) = await add_sealed(dsn, NEW, name="moved")
    await execute(dsn, "update providers set id = gen_random_uuid() where id = $1", id)
    await add_text(dsn, "sk-plain", "plain")
    with capture_logs() as logs:
        await refuse_unknown_keys(database, vault_of(NEW))
    assert {entry["row"] for entry in logs} == {"moved-0", "plain"}
    assert "sk-plain" not in str(logs)


async def test_a_key_is_made_only_when_nothing_needs_another(host: Host, tmp_path: Path) -> None:
    settings = host.settings.model_copy(update={"encryption_key": None})
    embedded = replace(host, settings=settings, embedded_database=True)
    await add_sealed(host.dsn, OLD)
    with pytest.raises(Unavailable):
        await prepare(embedded)
    assert not (tmp_path / "encryption.key").exists()
    await execute(host.dsn, "delete from providers")
    await prepare(embedded)
    (made,) = KeyFile(tmp_path).read()
    await add_sealed(host.dsn, made)
    await prepare(embedded)


async def test_none_is_made_beside_a_key_from_the_settings(host: Host, tmp_path: Path) -> None:
    await prepare(host)
    await prepare(replace(host, embedded_database=True))
    assert not (tmp_path / "encryption.key").exists()
