"""Every scenario through every door: what is answered, stored, told, traced and paid, and what
the model is told of it at the next turn.
"""

import asyncio
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from tests.scenarios.doors import DOORS, ChatCompletions, SendMessage, Talk, Wake
from tests.scenarios.stage import Record, Stage, said
from tests.scenarios.table import SCENARIOS, Pairs, Scenario, asks
from tests.upstream import Script

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASKED = "What is it like?"
TURN = """
    insert into messages (id, session_id, run_id, seq, role, content, is_error, created_at)
    select gen_random_uuid(), session_id, null, seq, role, content, false, now()
    from sessions, lateral (
        select 2 * n - 1 as seq, 'user' as role, 'Turn ' || n as content
        from generate_series(2, $2::int) n
        union all select 2 * n, 'assistant', 'Answer ' || n || '.' from generate_series(2, $2) n
    ) as said, (select $1::uuid as session_id) as one
    where sessions.id = session_id
"""
PAGE = """
    query ($id: UUID!, $before: String) {
        session(id: $id) {
            messages(first: 2, before: $before) {
                edges { node { seq } } pageInfo { hasNextPage endCursor }
            }
        }
    }
"""
COUNT = "update sessions set message_count = 2 * $2::int where id = $1::uuid"


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_a_scenario(stage: Stage, scenario: Scenario, door: type[Talk]) -> None:
    key = f"{door.__name__}-{SCENARIOS.index(scenario)}".lower()
    talk = door(stage, await stage.agent(key, **scenario.limits))
    stage.bench.gate, stage.bench.started = asyncio.Event(), asyncio.Event()
    await talked_before(talk, scenario.turns_before)
    compacts = scenario.summary is not None and talk.remembers

    before, asked = await stage.cursor(), len(stage.upstream.requests)
    stage.upstream.queue(*scenario.script)
    if compacts:
        assert scenario.summary is not None
        stage.upstream.queue(scenario.summary)
    heard, _ = await asyncio.gather(talk.ask(ASKED), scenario.meanwhile(stage, talk.agent))

    assert heard.code == scenario.code
    assert heard.text == answered(talk, scenario)
    run_id = (await stage.newest(talk.agent))["id"]
    expected = [*scenario.spans, *([("asks", "compaction", "completed")] if compacts else [])]
    record = await stage.settled(
        run_id,
        lambda record: (
            record.trace is not None
            and record.trace["status"] == scenario.status
            and record.spans == expected
        ),
    )
    assert (record.run["status"], record.run["errorCode"]) == (scenario.status, scenario.code)
    assert (record.trace["status"], record.agent_status) == (scenario.status, scenario.status)
    assert record.spans == expected
    assert record.messages[-len(scenario.messages) :] == scenario.messages
    assert [who for who, _ in record.messages].count("user") >= 1
    assert_counted(record, scenario, compacts)
    assert await stage.told(run_id, before) == [
        *talk.begins,
        "run.started",
        *scenario.events,
        "run.ended",
    ]
    assert len(stage.upstream.requests) - asked == len(scenario.script) + compacts
    await stage.lift(talk.agent)
    assert await told_next(talk) == expected_next(talk, scenario)


def answered(talk: Talk, scenario: Scenario) -> str:
    if not isinstance(talk, Wake):
        return scenario.answer
    return "" if scenario.code else scenario.messages[-1][1]


def assert_counted(record: Record, scenario: Scenario, compacts: bool) -> None:
    calls, read, written = scenario.counted
    if compacts:
        assert scenario.summary is not None
        assert scenario.summary.usage is not None
        calls, read = calls + 1, read + scenario.summary.usage.input
        written += scenario.summary.usage.output
    used = (read, written, (Decimal(written) / 100).normalize())
    tools = [step for step in record.spans if step[0] == "calls"]
    assert record.counted == {
        "run": used,
        "trace": used,
        "spans": used,
        "counts": (len(record.spans) + 1, calls, len(tools)),
    }


async def told_next(talk: Talk) -> Pairs:
    """What the model is told at the next turn, behind its prompt."""
    talk.stage.upstream.queue(Script(text="Next."))
    assert (await talk.ask("And then?")).text == "Next."
    told = talk.stage.upstream.requests[-1].body["messages"]
    assert told[0]["content"].startswith("Write.")
    return [_pair(message) for message in told[1:]]


def expected_next(talk: Talk, scenario: Scenario) -> Pairs:
    if isinstance(talk, ChatCompletions):
        return [(message["role"], message["content"]) for message in talk.said[:-1]]
    begins = [] if scenario.turns_before else [("user", ASKED)]
    return [*begins, *(scenario.told or scenario.messages), ("user", "And then?")]


def _pair(message: Any) -> tuple[str, str]:
    calls = [call["id"] for call in message.get("tool_calls") or ()]
    return message.get("tool_call_id") or message["role"], said(message.get("content"), calls)


async def talked_before(talk: Talk, turns: int) -> None:
    """The first turn is a real one, the others are written down."""
    if not turns:
        return
    if isinstance(talk, ChatCompletions):
        for turn in range(1, turns + 1):
            talk.said.append({"role": "user", "content": f"Turn {turn}"})
            talk.said.append({"role": "assistant", "content": f"Answer {turn}."})
        return
    talk.stage.upstream.queue(Script(text="Answer 1."))
    await talk.ask("Turn 1")
    session_id = (await talk.stage.newest(talk.agent))["sessionId"]
    connection = await asyncpg.connect(talk.stage.server.host.dsn)
    try:
        await connection.execute(TURN, session_id, turns)
        await connection.execute(COUNT, session_id, turns)
    finally:
        await connection.close()


async def test_a_conversation_is_paged_by_the_places_of_its_messages(stage: Stage) -> None:
    """Whose ids tell when they were thought of, and that may have been long before."""
    talk = SendMessage(stage, await stage.agent("paged"))
    stage.bench.gate, stage.bench.started = asyncio.Event(), asyncio.Event()
    [scenario] = [row for row in SCENARIOS if row.name == "an injected message"]
    stage.upstream.queue(*scenario.script)
    await asyncio.gather(talk.ask(ASKED), scenario.meanwhile(stage, talk.agent))
    told: list[int] = []
    before = None
    while True:
        answer = await stage.ada.graphql(PAGE, id=talk.session_id, before=before)
        page = answer.data["session"]["messages"]
        told = [edge["node"]["seq"] for edge in page["edges"]] + told
        if not page["pageInfo"]["hasNextPage"]:
            break
        before = page["pageInfo"]["endCursor"]
    assert told == [1, 2, 3, 4, 5]
    unknown = await stage.ada.graphql(PAGE, id=talk.session_id, before="A" * 22)
    assert unknown.data["session"]["messages"]["edges"] == []


async def test_the_table_is_complete() -> None:
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)
    assert {SendMessage, Wake, ChatCompletions} == set(DOORS)
    assert all(scenario.spans.count(asks()) <= scenario.counted[0] for scenario in SCENARIOS)
