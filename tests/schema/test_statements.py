"""How many statements a query costs, however many rows it has."""

from typing import Any

import pytest

from goclaw.core.ids import uuid7
from goclaw.resolvers.services import Services
from goclaw.schema.execution import Asked, run
from goclaw.store import database
from tests.support.callers import add_agent, add_provider, context
from tests.upstream import ScriptedUpstream

ROWS = 10


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    told: list[str] = []
    fetch = database.fetch

    async def counted(pool: Any, sql: str, arguments: Any, **how: bool) -> Any:
        told.append(sql)
        return await fetch(pool, sql, arguments, **how)

    monkeypatch.setattr(database, "fetch", counted)
    return told


@pytest.fixture
async def many(services: Services, upstream: ScriptedUpstream) -> None:
    """Ten agents, each with a session of two messages and a run."""
    provider = await add_provider(services, upstream)
    pool = services.database.pool
    for number in range(ROWS):
        agent = await add_agent(services, provider, f"agent-{number}")
        session, run_id = uuid7(), uuid7()
        await pool.execute(
            "insert into sessions (id, key, agent_id, user_id, channel, message_count, "
            "input_tokens, output_tokens, lease_run_id, created_at, updated_at) "
            "values ($1, $2, $3, 'ada', 'web', 2, 0, 0, $4, now(), now())",
            session, f"s{number}", agent.id, run_id,
        )  # fmt: skip
        await pool.execute(
            "insert into runs (id, session_id, agent_id, trace_id, user_id, channel, status, model,"
            " provider_name, first_seq, last_seq, input_tokens, output_tokens, cached_tokens,"
            " worker, started_at, heartbeat_at) values ($1, $2, $3, $4, 'ada', 'web', 'running',"
            " 'm', 'p', 1, 1, 0, 0, 0, '', now(), now())",
            run_id, session, agent.id, uuid7(),
        )  # fmt: skip
        for seq in (1, 2):
            await pool.execute(
                "insert into messages (id, session_id, run_id, seq, role, content, created_at) "
                "values ($1, $2, $3, $4, 'user', 'text', now())",
                uuid7(), session, run_id, seq,
            )  # fmt: skip
        trace = uuid7()
        await pool.execute(
            "insert into traces (id, run_id, agent_id, user_id, session_id, name, channel, status,"
            " start_time, total_input_tokens, total_output_tokens, span_count, llm_call_count,"
            " tool_call_count, created_at) values ($1, $2, $3, 'ada', $4, 'chat', 'web',"
            " 'completed', now(), 0, 0, 2, 1, 0, now())",
            trace, run_id, agent.id, session,
        )  # fmt: skip
        for last_seq in (1, 2):
            await pool.execute(
                "insert into spans (id, trace_id, span_type, name, status, start_time, first_seq,"
                " last_seq, created_at)"
                " values ($1, $2, 'llm_call', 'm', 'completed', now(), 1, $3, now())",
                uuid7(), trace, last_seq,
            )  # fmt: skip


CASES = [
    ("{ agents { nodes { key model status } } }", 1),
    ("{ agents { totalCount nodes { key } } }", 2),
    ("{ agents { nodes { key provider { name } } } }", 2),
    ("{ agents { nodes { key mayEdit shares { userId } provider { name } } } }", 4),
    ("{ sessions { nodes { key agent { key provider { name } } } } }", 3),
    ("{ sessions { nodes { key messages(first: 1) { nodes { content } } } } }", 2),
    ("{ sessions { nodes { key activeRun { status session { key } } } } }", 3),
    ("{ runs { nodes { status agent { key } session { key agent { key } } trace { id } } } }", 4),
    ("{ traces(first: 20) { nodes { name spans { name messages { content } } } } }", 4),
    ("{ traces { nodes { agent { key } messages { content } } } }", 5),
]


async def test_rows_are_loaded_together(
    services: Services, many: None, statements: list[str]
) -> None:
    for query, limit in CASES:
        statements.clear()
        payload = await run(context(services), Asked(query))
        assert "errors" not in payload, payload
        (page,) = payload["data"].values()
        assert len(page["nodes"]) >= ROWS
        assert len(statements) <= limit, (query, statements)


async def test_each_session_has_its_own_messages(services: Services, many: None) -> None:
    query = """{ sessions { nodes { messages(first: 1) {
      nodes { seq } pageInfo { hasNextPage }
    } } } }"""
    payload = await run(context(services), Asked(query))
    shown = [node["messages"] for node in payload["data"]["sessions"]["nodes"]]
    assert shown == [{"nodes": [{"seq": 2}], "pageInfo": {"hasNextPage": True}}] * ROWS


async def test_each_step_has_its_own_messages(services: Services, many: None) -> None:
    query = "{ traces(first: 20) { nodes { messages { seq } spans { messages { seq } } } } }"
    payload = await run(context(services), Asked(query))
    one, two = {"messages": [{"seq": 1}]}, {"messages": [{"seq": 1}, {"seq": 2}]}
    shown = payload["data"]["traces"]["nodes"]
    assert shown == [{"messages": [{"seq": 1}], "spans": [one, two]}] * ROWS


async def test_one_call_holds_few_connections(
    services: Services, many: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_now = most = 0
    fetch = database.fetch

    async def watched(pool: Any, sql: str, arguments: Any, **how: bool) -> Any:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        try:
            return await fetch(pool, sql, arguments, **how)
        finally:
            open_now -= 1

    monkeypatch.setattr(database, "fetch", watched)
    query = "{ " + " ".join(f"a{n}: agents {{ totalCount }}" for n in range(25)) + " }"
    assert "errors" not in await run(context(services), Asked(query))
    assert most == 4


SUMS = [
    ("{ costs { costUsd agent { key } } }", 2),
    ("{ usage { at runs costUsd } }", 1),
    ("{ usageShares(by: AGENT) { key agent { key provider { name } } } }", 3),
    ("{ usageSummary { current { runs } previous { runs } } }", 2),
]


async def test_sums_are_one_statement_and_their_agents_another(
    services: Services, many: None, statements: list[str]
) -> None:
    await services.database.pool.execute(
        "update runs set status = 'completed', ended_at = now() - interval '1 minute'"
    )
    for query, limit in SUMS:
        statements.clear()
        payload = await run(context(services), Asked(query))
        assert "errors" not in payload, payload
        (shown,) = payload["data"].values()
        assert shown
        assert len(statements) <= limit, (query, statements)
    assert len(await services.database.pool.fetch("select distinct agent_id from runs")) == ROWS


async def test_users_of_an_agent_cost_the_same_however_many(
    services: Services, many: None, statements: list[str]
) -> None:
    pool = services.database.pool
    agent_id = await pool.fetchval("select id from agents where key = 'agent-1'")
    for number in range(ROWS):
        await pool.execute(
            "insert into user_agent_profiles (id, agent_id, user_id, first_seen_at, last_seen_at,"
            " metadata) values ($1, $2, $3, now(), now(), '{}')",
            uuid7(), agent_id, f"user-{number}",
        )  # fmt: skip
        await pool.execute(
            "insert into user_context_files (id, agent_id, user_id, file_name, content, created_at,"
            " updated_at) values ($1, $2, $3, 'USER.md', 'text', now(), now())",
            uuid7(), agent_id, f"user-{number}",
        )  # fmt: skip
    statements.clear()
    query = f"""{{ agentInstances(agentId: "{agent_id}") {{
        nodes {{ userId fileCount files {{ content }} }} totalCount }} }}"""
    payload = await run(context(services), Asked(query))
    page = payload["data"]["agentInstances"]
    assert page["totalCount"] == len(page["nodes"]) == ROWS
    assert all(node["fileCount"] == len(node["files"]) == 1 for node in page["nodes"])
    assert len(statements) == 3, statements
