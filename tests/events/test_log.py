"""The log: what a reader gets, and when."""

from datetime import timedelta
from uuid import UUID

import pytest

from goclaw.core.ids import uuid7
from goclaw.models.events import Audience
from goclaw.store.events import (
    LogPage,
    append_events,
    drop_foreign_events,
    event_values,
    head,
    insert_event,
    read_after,
    standing,
    trim_events,
)
from goclaw.store.pool import Pool
from tests.events.writing import event, write

BEGINNING = (0, UUID(int=0))
AGES_AGO = UUID(int=1 << 80)


def numbers_of(page: LogPage) -> list[str]:
    return [row.payload for row in page.rows]


async def test_rows_come_in_order_and_in_pages(pool: Pool) -> None:
    start = await head(pool)
    await write(pool, *range(5))
    first = await read_after(pool, start, 3)
    second = await read_after(pool, first.rows[-1][:2], 3)
    assert numbers_of(first) == ['{"number": 0}', '{"number": 1}', '{"number": 2}']
    assert numbers_of(second) == ['{"number": 3}', '{"number": 4}']
    assert (first.full, second.full, second.held) == (True, False, False)


async def test_a_row_carries_what_was_written(pool: Pool) -> None:
    start, agent_id = await head(pool), uuid7()
    values = event_values(
        "agent", "agent.created", Audience.AGENT, {"ü": [1, None]}, user_id="a", agent_id=agent_id
    )
    async with pool.acquire() as connection:
        await connection.execute(insert_event(), *values)
    (row,) = (await read_after(pool, start, 10)).rows
    assert row[3:] == ("agent", "agent.created", "a", agent_id, "agent", '{"ü": [1, null]}')
    assert row.id == values[0]


async def test_an_insert_fits_into_a_cte(pool: Pool) -> None:
    start = await head(pool)
    async with pool.acquire() as connection:
        await connection.fetchrow(
            f"with written as ({insert_event(2)} returning id) select $1::int from written",
            5,
            *event(1),
        )
    assert numbers_of(await read_after(pool, start, 10)) == ['{"number": 1}']


async def test_topics_are_merged_in_order(pool: Pool) -> None:
    start = await head(pool)
    for number in range(6):
        await write(pool, number, topic=f"run:{number % 3}")
    page = await read_after(pool, start, 3, ["run:0", "run:2", "run:none"])
    assert numbers_of(page) == ['{"number": 0}', '{"number": 2}', '{"number": 3}']
    assert page.full


async def test_a_later_id_that_commits_first_waits_for_the_earlier(pool: Pool) -> None:
    """A plain `id > after` would lose the first one for ever."""
    start = await head(pool)
    async with pool.acquire() as slow, pool.acquire() as fast:
        transaction = slow.transaction()
        await transaction.start()
        await append_events(slow, [event(1)])
        await append_events(fast, [event(2)])
        waiting = await read_after(pool, start, 10)
        between = await head(pool)
        await transaction.commit()
    both = ['{"number": 1}', '{"number": 2}']
    assert (numbers_of(waiting), waiting.held, waiting.full) == ([], True, False)
    assert numbers_of(await read_after(pool, start, 10)) == both
    assert numbers_of(await read_after(pool, between, 10)) == both
    assert numbers_of(await read_after(pool, await head(pool), 10)) == []


async def test_a_reader_without_writes_holds_nothing_back(pool: Pool) -> None:
    async with pool.acquire() as idle, idle.transaction(isolation="repeatable_read"):
        await idle.fetchval("select count(*) from events")
        start = await head(pool)
        await write(pool, 1)
        assert numbers_of(await read_after(pool, start, 10)) == ['{"number": 1}']


async def test_trimming_leaves_the_edge_by_which_a_lost_cursor_is_told(pool: Pool) -> None:
    start = await head(pool)
    await write(pool, *range(4))
    rows = (await read_after(pool, start, 10)).rows
    async with pool.acquire() as connection:
        for at, row in enumerate(rows[:3]):
            await connection.execute(
                "update events set id = $2 where id = $1", row.id, UUID(int=AGES_AGO.int + at)
            )
    assert await trim_events(pool, timedelta(days=1), limit=1) == 1
    assert await trim_events(pool, timedelta(days=1)) == 1
    assert await trim_events(pool, timedelta(days=1)) == 0
    left = (await read_after(pool, BEGINNING, 10)).rows
    assert [row.payload for row in left] == ['{"number": 2}', '{"number": 3}']
    assert (await standing(pool, left[0][:2])).kept
    assert not (await standing(pool, (left[0].xid, AGES_AGO))).kept


async def test_a_position_from_the_future_is_unknown(pool: Pool) -> None:
    xid, id = await head(pool)
    assert (await standing(pool, (xid, id))).known
    assert not (await standing(pool, (xid + 100_000, id))).known


@pytest.mark.parametrize("ahead", [1000, 10**12])
async def test_rows_of_another_cluster_are_dropped(pool: Pool, ahead: int) -> None:
    await write(pool, 1)
    async with pool.acquire() as connection:
        await append_events(connection, [event(2)])
        await connection.execute(
            "update events set xid = (pg_current_xact_id()::text::int8 + $1)::text::xid8 "
            "where (payload->>'number')::int = 2",
            ahead,
        )
    assert await drop_foreign_events(pool) == 1
    assert numbers_of(await read_after(pool, BEGINNING, 10)) == ['{"number": 1}']
