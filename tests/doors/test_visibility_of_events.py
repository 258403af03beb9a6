"""A subscription gives what its caller may see, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from goclaw.core.callers import Scope
from tests.doors.calling import SEND, Caller, Following
from tests.doors.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVENTS = """
    subscription ($topics: [String!], $after: String) {
        events(topics: $topics, after: $after) { cursor topic kind userId agentId payload }
    }
"""
SHARE = "mutation ($input: ShareAgentInput!) { shareAgent(input: $input) { id } }"
UNSHARE = "mutation ($input: UnshareAgentInput!) { unshareAgent(input: $input) { id } }"
RENAME = "mutation ($input: UpdateAgentInput!) { updateAgent(input: $input) { id } }"
MARK = "mutation ($input: UpdateProviderInput!) { updateProvider(input: $input) { id } }"
NEW_KEY = "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } } }"
REVOKE = "mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { id } }"


@pytest_asyncio.fixture(loop_scope="module")
async def bob(world: World) -> AsyncIterator[Following]:
    async with following(world, "bob", Scope.WRITE) as events:
        yield events


@asynccontextmanager
async def following(
    world: World, user_id: str | None, scope: Scope, **variables: Any
) -> AsyncIterator[Following]:
    """From now on, unless `after` says otherwise."""
    await world.recent()
    from_now = {"after": await world.services.hub.head()}
    caller = world.caller(scope, user_id)
    async with caller.follow(EVENTS, **from_now | variables) as events:
        yield events


async def mark(world: World) -> str:
    """A change everybody sees: what was to come before it has come when it does."""
    rows = await world.recent()
    sent = {"id": rows["provider"], "displayName": "mark"}
    assert (await world.root().graphql(MARK, input=sent)).data
    return "provider.updated"


async def until_mark(world: World, events: Following, kinds: bool = True) -> list[Any]:
    """All events before the mark."""
    last, got = await mark(world), []
    while (event := (await events.next())["events"])["kind"] != last:
        got.append(event)
    return [event["kind"] for event in got] if kinds else got


async def test_another_users_sessions_and_runs_are_not_told(world: World, bob: Following) -> None:
    rows = await world.fresh()
    async with following(world, "ada", Scope.READ) as ada:
        sent = {"sessionId": rows["session"], "text": "And?"}
        run = (await world.caller(Scope.WRITE).graphql(SEND, input=sent)).data["sendMessage"]
        await world.settle()
        rename = "mutation ($input: RenameSessionInput!) { renameSession(input: $input) { id } }"
        label = {"id": rows["session"], "label": "Secret"}
        assert (await world.caller(Scope.WRITE).graphql(rename, input=label)).data
        heard = await until_mark(world, ada, kinds=False)
    told = [event["kind"] for event in heard]
    assert told == ["run.started", "run.ended", "session.updated"]
    assert {event["topic"] for event in heard} == {f"run:{run['id']}", "session"}
    seen = [event async for event in everything_until_mark(world, bob)]
    assert {event["topic"] for event in seen} <= {"provider"}
    assert rows["session"] not in str(seen)


async def everything_until_mark(world: World, events: Following) -> AsyncIterator[Any]:
    """One mark was set on the way, which is an event like others."""
    await mark(world)
    marks = 0
    while marks < 2:
        event = (await events.next())["events"]
        marks += event["kind"] == "provider.updated"
        yield event


async def test_naming_the_topic_of_anothers_run_tells_nothing(world: World) -> None:
    rows = await world.talking()
    topics = [f"run:{rows['run']}", "session", "provider"]
    async with following(world, "bob", Scope.READ, topics=topics) as events:
        await world.hush()
        assert await until_mark(world, events) == []


async def test_resuming_from_an_old_cursor_tells_no_more(world: World) -> None:
    rows = await world.fresh()
    after = rows["cursor"]
    async with following(world, "ada", Scope.READ, after=after) as events:
        mine = await until_mark(world, events)
    assert "run.ended" in mine
    assert "agent.created" in mine
    async with following(world, "bob", Scope.READ, after=after) as events:
        theirs = [(await events.next())["events"]["kind"]]
        while theirs[-1] != "provider.updated":
            theirs.append((await events.next())["events"]["kind"])
    # The cursor may be a moment older than what was read when it was asked for.
    assert set(theirs) == {"provider.created", "provider.updated"}


async def test_an_agent_is_told_of_while_it_is_shared(world: World, bob: Following) -> None:
    rows, owner = await world.fresh(), world.caller(Scope.WRITE)
    await until_mark(world, bob)

    async def rename() -> None:
        sent = {"id": rows["agent"], "displayName": "Renamed"}
        assert (await owner.graphql(RENAME, input=sent)).data

    with_bob = {"agentId": rows["agent"], "userId": "bob"}
    await rename()
    assert await until_mark(world, bob) == []
    assert (await owner.graphql(SHARE, input=with_bob)).data
    await rename()
    assert await until_mark(world, bob) == ["agent.shared", "agent.updated"]
    assert (await owner.graphql(UNSHARE, input=with_bob)).data
    assert await until_mark(world, bob) == ["agent.unshared"]
    await rename()
    assert await until_mark(world, bob) == []


async def test_who_loses_an_agent_is_told_and_nobody_else(world: World) -> None:
    """By the end of a share as by a new owner; eve, who has a share, hears of all of it."""
    rows, ada = await world.fresh(conversation=False), world.caller(Scope.WRITE)
    elsewhere = await world.fresh(conversation=False)
    _, token = await world.key(Scope.READ, user_id="bob", agent_ids=[elsewhere["agent"]])
    bound = Caller(world.http, world.server.url, token)
    from_now = {"after": await world.services.hub.head()}
    with_bob = {"agentId": rows["agent"], "userId": "bob"}
    assert (await ada.graphql(SHARE, input=with_bob)).data
    assert (await ada.graphql(UNSHARE, input=with_bob)).data
    given = await ada.rest("POST", f"/v1/agents/{rows['agent']}/transfer", {"user_id": "zoe"})
    assert given.status == 200
    told = {
        name: await heard_after(world, world.caller(Scope.READ, name), rows["agent"], from_now)
        for name in ("bob", "ada", "eve", "zoe", "mallory", None)
    }
    all_of_it = ["agent.shared", "agent.unshared", "agent.transferred"]
    assert told == {
        "bob": ["agent.unshared"],
        "ada": ["agent.transferred"],
        "eve": all_of_it,
        "zoe": all_of_it,
        "mallory": [],
        None: [],
    }
    assert await heard_after(world, bound, rows["agent"], from_now) == []


async def heard_after(world: World, caller: Caller, agent: str, after: dict[str, str]) -> list[str]:
    """What was told of that agent since then."""
    async with caller.follow(EVENTS, **after) as events:
        heard = await until_mark(world, events, kinds=False)
    return [event["kind"] for event in heard if event["agentId"] == agent]


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        (Scope.ADMIN, ["api_key.created", "api_key.revoked"]),
        (Scope.WRITE, []),
        (Scope.READ, []),
    ],
)
async def test_keys_are_told_of_to_administrators_alone(
    world: World, scope: Scope, told: list[str]
) -> None:
    async with following(world, "bob", scope) as events:
        sent = {"name": "told", "scopes": ["READ"]}
        made = (await world.root().graphql(NEW_KEY, input=sent)).data["createApiKey"]
        assert (await world.root().graphql(REVOKE, input=made["apiKey"])).data
        assert await until_mark(world, events) == told


async def test_an_administrator_of_no_user_hears_all(world: World) -> None:
    async with world.root().follow(EVENTS, after=await world.services.hub.head()) as events:
        await world.fresh()
        told = await until_mark(world, events)
    expected = {"agent.created", "agent.shared", "api_key.created", "run.started", "run.ended"}
    assert expected <= set(told)


async def test_events_hold_no_secret(world: World) -> None:
    rows = await world.fresh()
    secret = {"id": rows["provider"], "apiKey": "sk-never-told"}
    assert (await world.root().graphql(MARK, input=secret)).data
    async with world.root().follow(EVENTS, after=rows["cursor"]) as events:
        told = str(await until_mark(world, events, kinds=False))
        told += str(await until_mark(world, events, kinds=False))
    assert rows["provider"] in told
    for words in ("sk-never-told", "sk-upstream-secret", "goclaw_"):
        assert words not in told
