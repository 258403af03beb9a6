"""Moving stored secrets under another key: all of them, in part, and beside others who write."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from goclaw.core.errors import Unavailable
from goclaw.models.sealed import SealedColumn
from goclaw.security import reencryption
from goclaw.security.reencryption import Reencryption
from goclaw.security.vault import Vault
from goclaw.store.database import Database, open_database
from goclaw.store.sealed import SealedText, discard_sealed, replace_sealed
from tests.security.sealing import add_sealed, add_text, execute, opened, texts, under
from tests.security.test_vault import KEY as LEGACY_KEY
from tests.security.test_vault import LEGACY
from tests.support.vaults import key_of, vault_of

OLD, NEW = key_of("o"), key_of("n")
PROVIDERS, ANSWERS = SealedColumn.PROVIDER_KEY, SealedColumn.ANSWER_SECRET
BOTH = vault_of(NEW, OLD)


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    database = await open_database(dsn, 6, statement_cache=True)
    yield database
    await database.close()


def work(database: Database, vault: Vault = BOTH) -> Reencryption:
    return Reencryption(database, vault, lambda *_: None)


async def test_every_column_is_moved(
    dsn: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reencryption, "BATCH", 3)
    secrets = {place: await add_sealed(dsn, OLD, 10, place) for place in SealedColumn}
    moved: list[tuple[SealedColumn, int]] = []
    remains = await Reencryption(database, BOTH, lambda *batch: moved.append(batch)).run()
    assert (remains.busy, remains.unreadable) == ({}, {})
    assert moved == [(place, count) for place in SealedColumn for count in (3, 3, 3, 1)]
    for place in SealedColumn:
        assert await opened(dsn, vault_of(NEW), place) == secrets[place]


async def test_a_second_run_changes_nothing(dsn: str, database: Database) -> None:
    await add_sealed(dsn, OLD, 5)
    await work(database).run()
    before = await texts(dsn)
    await work(database).run()
    assert await texts(dsn) == before


async def test_text_of_the_older_server_gets_the_new_form(dsn: str, database: Database) -> None:
    id = await add_text(dsn, LEGACY)
    await work(database, vault_of(NEW, LEGACY_KEY)).run()
    assert await opened(dsn, vault_of(NEW)) == {id: '{"GH_TOKEN":"x"}'}
    assert under(NEW, await texts(dsn)) == 1


async def test_nobody_sees_a_changed_row(dsn: str, database: Database) -> None:
    """Clients that are kept by the row's date stay: the secret is the same."""
    await add_sealed(dsn, OLD)
    before = await database.pool.fetchval("select updated_at from providers")
    await work(database).run()
    assert await database.pool.fetchval("select updated_at from providers") == before


@pytest.mark.leaky("a sealed column holds plaintext")
async def test_weakness_24_what_cannot_be_read_stays_as_it_is(dsn: str, database: Database) -> None:
    mine = await add_sealed(dsn, OLD, 4, name="mine")
    await add_sealed(dsn, key_of("x"), 3, name="theirs")
    await add_text(dsn, "sk-plain", "plain")
    before = await texts(dsn)
    remains = await work(database).run()
    after = await texts(dsn)
    assert {id: text for id, text in after.items() if before[id] == text}.keys() == (
        before.keys() - mine.keys()
    )
    assert {row.id for row in remains.unreadable[PROVIDERS]} == before.keys() - mine.keys()
    assert await work(database).discard(remains.unreadable) == 4
    assert (await texts(dsn)).keys() == mine.keys()


async def test_giving_up_counts_as_a_change_and_spares_what_was_mended(
    dsn: str, database: Database
) -> None:
    lost, mended = [
        next(iter(await add_sealed(dsn, key_of("x"), name=name))) for name in ("lost", "mended")
    ]
    remains = await work(database).run()
    fresh = BOTH.seal("sk-planted-again", PROVIDERS, mended)
    await execute(dsn, "update providers set api_key = $1 where id = $2", fresh, mended)
    before = await database.pool.fetchval("select updated_at from providers where id = $1", lost)
    assert await work(database).discard(remains.unreadable) == 1
    assert await texts(dsn) == {mended: fresh}
    after = await database.pool.fetchval("select updated_at from providers where id = $1", lost)
    assert after > before


async def test_without_a_key_nothing_is_touched(dsn: str, database: Database) -> None:
    await add_sealed(dsn, OLD)
    before = await texts(dsn)
    for vault in (vault_of(), Vault(type(BOTH.keys)(None, (OLD,)))):
        with pytest.raises(Unavailable):
            await work(database, vault).run()
    assert await texts(dsn) == before


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("batches", range(5))
async def test_killed_at_any_point_it_goes_on_from_there(
    dsn: str,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    batches: int,
    answered: bool,
) -> None:
    """Whatever was done by then can be read, and the next run does the rest."""
    monkeypatch.setattr(reencryption, "BATCH", 2)
    secrets = await add_sealed(dsn, OLD, 9)
    done = 0

    async def replace(*arguments: Any) -> int:
        nonlocal done
        moved = 0
        if done < batches or not answered:
            moved = await replace_sealed(*arguments)
        if done == batches:
            raise asyncio.CancelledError
        done += 1
        return moved

    with monkeypatch.context() as patched:
        patched.setattr(reencryption, "replace_sealed", replace)
        with pytest.raises(asyncio.CancelledError):
            await work(database).run()
    assert await opened(dsn, BOTH) == secrets
    assert under(NEW, await texts(dsn)) == min(2 * (batches + (not answered)), 9)
    await work(database).run()
    assert await opened(dsn, vault_of(NEW)) == secrets


async def test_a_change_in_between_is_not_overwritten(dsn: str, database: Database) -> None:
    (id,) = await add_sealed(dsn, OLD)
    (read,) = [SealedText(id, text, "") for text in (await texts(dsn)).values()]
    changed = BOTH.seal("sk-planted-since", PROVIDERS, id)
    await execute(dsn, "update providers set api_key = $1", changed)
    stale = BOTH.seal("sk-planted-stale", PROVIDERS, id)
    assert await replace_sealed(database.pool, PROVIDERS, [read], [stale]) == 0
    assert not await discard_sealed(database.pool, PROVIDERS, read)
    assert await texts(dsn) == {id: changed}


async def test_a_row_that_is_being_changed_is_left_to_who_changes_it(
    dsn: str, database: Database
) -> None:
    """Nobody waits, and no other row is held up."""
    (id,) = await add_sealed(dsn, OLD, name="held")
    await add_sealed(dsn, OLD, 3, name="free")
    fresh = vault_of(OLD).seal("sk-planted-fresh", PROVIDERS, id)
    connection = await asyncpg.connect(dsn)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("update providers set api_key = $1 where id = $2", fresh, id)
    running = asyncio.create_task(work(database).run())
    while under(NEW, await texts(dsn)) < 3:  # noqa: ASYNC110 - the database rings no bell
        await asyncio.sleep(0.01)
    assert not running.done()
    await transaction.commit()
    await connection.close()
    remains = await running
    assert (remains.busy, remains.unreadable) == ({}, {})
    assert (await opened(dsn, vault_of(NEW)))[id] == "sk-planted-fresh"


async def test_who_holds_on_to_a_row_is_counted(
    dsn: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reencryption, "PAUSE_S", 0)
    await add_sealed(dsn, OLD, 2)
    connection = await asyncpg.connect(dsn)
    async with connection.transaction():
        await connection.execute("select from providers limit 1 for update")
        remains = await work(database).run()
    await connection.close()
    assert remains.busy == {PROVIDERS: 1}
    assert under(NEW, await texts(dsn)) == 1


async def test_many_writers_and_two_rotations_lose_nothing(dsn: str, database: Database) -> None:
    """Writers use the old and the new key, as servers do while they are restarted."""
    last = await add_sealed(dsn, OLD, 20)

    async def write(id: UUID) -> None:
        for number in range(15):
            last[id] = f"sk-planted-{number}-of-{id}"
            vault = vault_of(OLD) if number % 2 else BOTH
            text = vault.seal(last[id], PROVIDERS, id)
            await database.pool.execute("update providers set api_key = $1 where id = $2", text, id)

    await asyncio.gather(*map(write, list(last)), *(work(database).run() for _ in range(2)))
    assert await opened(dsn, BOTH) == last
    await work(database).run()
    assert await opened(dsn, vault_of(NEW)) == last


async def test_a_writer_of_many_rows_and_a_rotation_do_not_block_each_other(
    dsn: str, database: Database
) -> None:
    """In the opposite order, as a deadlock needs it."""
    ids = sorted(await add_sealed(dsn, OLD, 50), reverse=True)

    async def touch() -> None:
        for _ in range(10):
            async with database.pool.acquire() as connection, connection.transaction():
                for id in ids:
                    await connection.execute(
                        "update providers set enabled = not enabled where id = $1", id
                    )

    await asyncio.gather(touch(), *(work(database).run() for _ in range(3)))
    await work(database).run()
    assert under(NEW, await texts(dsn)) == 50


async def test_rows_of_one_result_are_all_moved(
    dsn: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row an answer is bound to is not its primary key."""
    monkeypatch.setattr(reencryption, "BATCH", 2)
    id = uuid4()
    connection = await asyncpg.connect(dsn)
    for number in range(5):
        text = vault_of(OLD).seal("sk-planted", ANSWERS, id)
        await connection.execute(
            "insert into idempotent_requests values ('ada', 'x', $1, '', $2, $3, now())",
            str(number), id, text,
        )  # fmt: skip
    await connection.close()
    await work(database).run()
    assert (
        await database.pool.fetchval(
            "select count(*) from idempotent_requests where secret like $1", f"v1:{NEW.id}:%"
        )
        == 5
    )
