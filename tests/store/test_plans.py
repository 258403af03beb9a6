"""Statements whose plans were made on small tables do not read large ones whole."""

import asyncpg

from goclaw.app.services import open_services
from goclaw.core.host import Host
from tests.runtime.acting import chat, set_scene
from tests.upstream import ScriptedUpstream, call

TABLES = ("sessions", "runs", "messages", "events", "spans", "traces")
CALLS = 10
GROWN = 10_000
"""Rows each large table has more, so what one reading of it whole costs."""

GROW = f"""
    insert into sessions (id, key, agent_id, user_id, channel, message_count, input_tokens,
        output_tokens, created_at, updated_at, prefix_hash)
    select gen_random_uuid(), 'grown ' || n, agent_id, user_id, channel, 0, 0, 0, now(), now(),
        sha256(n::text::bytea)
    from generate_series(1, {GROWN}) as n, (select * from sessions limit 1) as one;
    insert into runs (id, session_id, agent_id, trace_id, user_id, channel, status, model,
        provider_name, first_seq, last_seq, input_tokens, output_tokens, cached_tokens, worker,
        started_at, heartbeat_at)
    select gen_random_uuid(), session_id, agent_id, gen_random_uuid(), user_id, channel,
        'completed', model, provider_name, 1, 1, 0, 0, 0, '', now(), now()
    from generate_series(1, {GROWN}) as n, (select * from runs limit 1) as one;
    insert into messages (id, session_id, seq, role, content, is_error, created_at)
    select gen_random_uuid(), session_id, 1000 + n, role, content, false, now()
    from generate_series(1, {GROWN}) as n, (select * from messages limit 1) as one
"""
READ = """
    select sum(seq_tup_read) + sum(idx_tup_fetch) from pg_stat_user_tables
    where relname = any($1)
"""


OTHERS = """
    select count(*) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
"""


async def test_plans_of_small_tables_do_not_read_large_ones_whole(
    host: Host, dsn: str, upstream: ScriptedUpstream
) -> None:
    observer = await asyncpg.connect(dsn)

    async def read() -> int:
        await observer.fetchval("select pg_stat_force_next_flush()")
        await observer.fetchval("select pg_stat_clear_snapshot()")
        return int(await observer.fetchval(READ, TABLES))

    async def alone() -> bool:
        return int(await observer.fetchval(OTHERS)) == 0

    async with open_services(host) as services:
        scene = await set_scene(services, upstream)

        async def act() -> None:
            """With a tool, in a conversation that goes on."""
            said: list[dict[str, str]] = []
            for _ in range(CALLS):
                upstream.reply(calls=(call("weather", city="Oslo"),))
                upstream.reply("Sunny.")
                said.append({"role": "user", "content": "And today?"})
                run = await scene.start(chat(messages=said))
                reply = await run.reply()
                said.append({"role": "assistant", "content": reply.content})

        await act()
        await observer.execute("analyze")
        await act()
        await observer.execute(GROW)
        before = await read()
        await act()
    await scene.until(alone)  # a connection tells what it read when it ends
    used = await read() - before
    await observer.close()
    assert 0 < used < GROWN
