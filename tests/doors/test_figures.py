"""What `/metrics` tells of caches and refusals: counts, and never whose."""

import asyncio
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from goclaw.core.callers import Scope
from goclaw.core.host import Host
from tests.doors.calling import Caller
from tests.doors.limiting import limited_world
from tests.doors.world import World
from tests.upstream import ScriptedUpstream

ME = "{ me { userId } }"
LABELS = {"provider", "cache", "code", "subject"}
Figures = dict[tuple[str, ...], float]


async def figures(world: World) -> Figures:
    """By name and values of labels, as the gateway's administrator reads them."""
    answer = await world.root().rest("GET", "/metrics")
    assert answer.status == 200
    return {
        (sample.name.removeprefix("goclaw_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def grown(world: World, before: Figures, *names: str) -> dict[tuple[str, ...], float]:
    now = await figures(world)
    return {
        figure: value - before[figure]
        for figure, value in now.items()
        if figure[0] in names and value != before[figure]
    }


@pytest.fixture
def trusting(small_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """One whose lease never runs out, however busy the machine is."""
    for cache in (small_world.services.keys, small_world.services.targets):
        monkeypatch.setattr(cache, "_trusted", lambda: True)
    return small_world


async def test_hits_and_misses_of_caches(trusting: World) -> None:
    counted = "cache_hits_total", "cache_misses_total", "cache_entries"
    before, ada = await figures(trusting), trusting.caller(Scope.WRITE)
    for _ in range(3):
        assert (await ada.chat()).status == 200
    assert await grown(trusting, before, *counted) == {
        ("cache_misses_total", "keys"): 1,
        ("cache_hits_total", "keys"): 2,
        ("cache_entries", "keys"): 1,
        ("cache_misses_total", "targets"): 1,
        ("cache_hits_total", "targets"): 2,
        ("cache_entries", "targets"): 1,
    }


async def test_what_is_known_not_to_exist_and_what_is_refused(trusting: World) -> None:
    counted = "cache_negative_hits_total", "cache_misses_total", "credentials_refused_total"
    before = await figures(trusting)
    wrong = Caller(trusting.http, trusting.server.url, "goclaw_" + "0" * 32)
    for _ in range(3):
        assert (await wrong.graphql(ME)).status == 401
    assert await grown(trusting, before, *counted) == {
        ("cache_misses_total", "keys"): 1,
        ("cache_negative_hits_total", "keys"): 2,
        ("credentials_refused_total",): 3,
    }


async def test_a_revoked_key_is_forgotten(trusting: World) -> None:
    id, token = await trusting.key(Scope.READ)
    await Caller(trusting.http, trusting.server.url, token).graphql(ME)
    before = await figures(trusting)
    await trusting.root().rest("DELETE", f"/v1/api-keys/{id}")
    assert await grown(trusting, before, "cache_entries", "cache_evictions_total") == {
        ("cache_entries", "keys"): -1
    }


async def test_the_lease_is_held_while_somebody_calls_and_by_no_look_at_it(
    small_world: World,
) -> None:
    trust = small_world.services.trust
    for _ in range(3):
        assert (await figures(small_world))["cache_lease_held",] == 0
    assert trust._lease._asleep
    await small_world.caller(Scope.READ).graphql(ME)
    for _ in range(3000):
        if (await figures(small_world))["cache_lease_held",] == 1:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError("the lease was not taken")


async def test_refusals_by_limit(host: Host, upstream: ScriptedUpstream) -> None:
    limits: dict[str, Any] = {"rate_per_user": 2, "sockets_per_credential": 1}
    async with limited_world(host, upstream, **limits, failures_per_address=2) as world:
        ada, root = world.caller(Scope.READ), world.root()
        before = await figures(world)
        for _ in range(3):
            await ada.graphql(ME)
        bob = world.caller(Scope.READ, "bob")
        async with (
            bob.socket(),
            world.http.ws_connect(
                f"{bob.url}/graphql", protocols=("graphql-transport-ws",), headers=bob.headers
            ) as second,
        ):
            assert (await second.receive()).data == 1013
        told = await grown(world, before, "limit_refusals_total")
        wrong = Caller(world.http, world.server.url, "goclaw_" + "0" * 32)
        for _ in range(4):
            await wrong.graphql(ME)
        assert world.services.failures.refused == 2
        assert (await root.rest("GET", "/metrics")).status == 429
    assert told == {
        ("limit_refusals_total", "rate_limited", "user"): 1,
        ("limit_refusals_total", "too_many_sockets", "credential"): 1,
    }


async def test_labels_are_few_and_nobodys(small_world: World) -> None:
    ada = small_world.caller(Scope.WRITE)
    await ada.chat()
    await Caller(small_world.http, ada.url, "a guess").graphql(ME)
    text = (await ada.rest("GET", "/metrics")).text
    own = [f for f in text_string_to_metric_families(text) if f.name.startswith("goclaw_")]
    assert {label for f in own for sample in f.samples for label in sample.labels} <= LABELS
    for family in own:
        assert len(family.samples) <= 8, family.name
    for words in ("ada", "a guess", "127.0.0.1", *small_world.tokens.values()):
        assert f'"{words}"' not in text
    for token in small_world.tokens.values():
        assert token not in text
