"""What is older than it is to be kept goes, once a night, and no money is forgotten."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from time import time
from typing import Any

import asyncpg
import pytest

from goclaw.core.callers import Scope
from goclaw.core.paging import PageRequest
from goclaw.core.settings import Settings
from goclaw.resolvers.activity import list_activity
from goclaw.resolvers.chat import start_chat
from goclaw.resolvers.services import Services
from goclaw.resolvers.traces import list_costs
from goclaw.runtime.retention import Retention, last_due
from goclaw.store import retention as statements
from tests.runtime.test_chat_runs import said
from tests.support.callers import add_agent, add_provider, context
from tests.upstream import ScriptedUpstream

TABLES = ("sessions", "messages", "runs", "traces", "spans", "activity_logs")
AGE = """
update runs set cost_usd = 0.5;
update sessions set updated_at = updated_at - interval '100 days';
update runs set started_at = started_at - interval '100 days',
    ended_at = ended_at - interval '100 days';
update usage_counted set until = null;
"""
IDS = (
    ("sessions", "id"),
    ("messages", "session_id"),
    ("runs", "id"),
    ("runs", "session_id"),
    ("traces", "id"),
    ("spans", "id"),
    ("spans", "trace_id"),
    ("activity_logs", "id"),
)


@pytest.fixture
async def chats(services: Services, upstream: ScriptedUpstream) -> Services:
    """Three conversations of a moment ago."""
    await add_agent(services, await add_provider(services, upstream))
    for number in range(3):
        await (await start_chat(context(services), said(("user", f"Say {number}.")))).reply()
    await services.traces.flush()
    return services


async def ask(dsn: str, *sql: str) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in sql[:-1]:
            await connection.execute(statement)
        return await connection.fetchval(sql[-1])
    finally:
        await connection.close()


async def make_old(dsn: str) -> None:
    """As if all of it had been written 100 days ago: ids begin with the time."""
    at = f"{int((time() - 100 * 86_400) * 1000):012x}"
    await ask(
        dsn,
        "alter table messages drop constraint messages_session_id_fkey",
        "alter table runs drop constraint runs_session_id_fkey",
        AGE,
        *(
            f"update {table} set {column} ="
            f" ('{at}' || substr(replace({column}::text, '-', ''), 13))::uuid"
            for table, column in IDS
        ),
        "alter table messages add foreign key (session_id) references sessions on delete cascade",
        "alter table runs add foreign key (session_id) references sessions on delete set null",
        "select 1",
    )


async def counts(dsn: str) -> dict[str, int]:
    return {name: await ask(dsn, f"select count(*) from {name}") for name in TABLES}


def retention(services: Services, **days: int) -> Retention:
    kept = {f"keep_{what}_days": number for what, number in days.items()}
    return Retention(services.database, services.settings.model_copy(update=kept))


async def test_each_kind_goes_for_itself(chats: Services, dsn: str) -> None:
    await make_old(dsn)
    before = await counts(dsn)
    assert before == before | {"sessions": 3, "messages": 6, "runs": 3, "traces": 3, "spans": 6}
    await retention(chats, traces=30).run_if_due()
    left = await counts(dsn)
    assert left == before | {"traces": 0, "spans": 0, "activity_logs": before["activity_logs"] + 1}


async def test_everything_old_goes_and_costs_stay(chats: Services, dsn: str) -> None:
    costs_before = list(map(dict, await list_costs(context(chats))))
    await make_old(dsn)
    await retention(chats, traces=30, sessions=30, runs=32, activity=30).run_if_due()
    assert await counts(dsn) == dict.fromkeys(TABLES, 0) | {"activity_logs": 1}

    [cost] = await list_costs(context(chats))
    assert (cost.cost_usd, cost.trace_count) == (Decimal("1.5"), 3)
    assert cost.input_tokens == costs_before[0]["input_tokens"]
    day = datetime.now(UTC) - timedelta(days=101)
    assert len(await list_costs(context(chats), None, day)) == 1
    assert await list_costs(context(chats), None, None, day) == []
    assert await list_costs(context(chats, "bob")) == []


async def test_what_is_young_or_in_use_stays(chats: Services, dsn: str) -> None:
    before = await counts(dsn)
    await retention(chats, traces=30, sessions=30, runs=32, activity=30).run_if_due()
    assert await counts(dsn) == before
    await make_old(dsn)
    await ask(
        dsn,
        "update sessions set lease_until = now() + interval '1 minute'",
        "update runs set status = 'running', heartbeat_at = now()",
        "select 1",
    )
    await retention(chats, sessions=30, runs=32).run_if_due()
    assert await counts(dsn) == before, "it was done today"
    await ask(dsn, "update chores set done_at = null", "select 1")
    await retention(chats, sessions=30, runs=32).run_if_due()
    assert await counts(dsn) == before


async def test_by_default_nothing_is_deleted(chats: Services, dsn: str) -> None:
    await make_old(dsn)
    before = await counts(dsn)
    await Retention(chats.database, chats.settings).run_if_due()
    assert await counts(dsn) == before
    assert await ask(dsn, "select count(*) from chores where name = 'retention'") == 0


async def test_many_workers_do_it_once_and_the_activity_says_what_went(
    chats: Services, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_old(dsn)
    workers = [retention(chats, traces=30, sessions=30) for _ in range(5)]
    await asyncio.gather(*(worker.run_if_due() for worker in workers))
    boss = context(chats, None, Scope.ADMIN)
    [row] = (await list_activity(boss, PageRequest(), action="retention.done")).rows
    assert (row.actor_type, row.actor_id) == ("system", "system")
    assert row.details == {"deleted": {"sessions": 3, "spans": 6, "traces": 3}}


async def test_it_goes_on_where_another_worker_left_it(
    chats: Services, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_old(dsn)
    first = retention(chats, traces=30)
    batch = statements.STATEMENTS["spans"].replace("limit 2000", "limit 2")
    broken = "select 1 / 0 as total from (select $1::text, $2::text, $3::text, $4::uuid) as given"
    monkeypatch.setattr(statements, "STATEMENTS", {"spans": batch, "traces": broken})
    with pytest.raises(asyncpg.DataError):
        await first.run_if_due()
    monkeypatch.undo()

    second = retention(chats, traces=30)
    await second.run_if_due()
    assert (await counts(dsn))["traces"] == 3, "the first may be at it still"
    await ask(dsn, "update chores set claimed_until = now() - interval '1 second'", "select 1")
    await second.run_if_due()
    assert (await counts(dsn))["traces"] == 0
    details = "select details from activity_logs where action = 'retention.done'"
    assert '"spans": 6, "traces": 3' in await ask(dsn, details)


async def test_batches_are_bounded_by_messages(
    chats: Services, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_old(dsn)
    small = {what: text.replace("2000", "2") for what, text in statements.STATEMENTS.items()}
    monkeypatch.setattr(statements, "STATEMENTS", small)
    gone = [
        await statements.delete_batch(
            chats.database, "sessions", datetime.now(UTC) - timedelta(days=30), "none", "nobody"
        )
        for _ in range(4)
    ]
    assert gone == [1, 1, 1, 0]


@pytest.mark.parametrize(
    ("at", "due"),
    [("2026-03-10T02:59", "2026-03-09T03:00"), ("2026-03-10T03:00", "2026-03-10T03:00")],
)
def test_the_last_night(at: str, due: str) -> None:
    instant = datetime.fromisoformat(f"{at}+00:00")
    assert last_due(instant, 3) == datetime.fromisoformat(f"{due}+00:00")


def test_runs_are_kept_as_long_as_budgets_need_them() -> None:
    with pytest.raises(ValueError, match="32"):
        Settings(keep_runs_days=31)
