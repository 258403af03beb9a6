"""Lists of 50 rows from PostgreSQL through `/v1`, with the look-up of the key."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import orjson

from bench.database import copy_rows
from bench.gateway import Gateway
from bench.graphql import QUERY
from bench.load import Answer, ask_once, request
from bench.report import Row, at_most, figure
from bench.rounds import Measure, Measured, alternate
from bench.scene import Scene, cpu_of
from bench.servers import Server

ROWS: Final = 50
CALLS: Final = 1_500
AT_ONCE: Final = 16

KEYS: Final = """
select id, name, prefix, scopes, user_id, expires_at, last_used_at, revoked, created_by,
    created_at, updated_at, key_hash
from api_keys
"""
"""12 columns, as many as `/v1/api-keys` tells; the last stands for what the caller may not see."""

AGENTS: Final = """
select a.id, a.owner_id, a.key as agent_key, a.key as name, p.name as provider, a.model,
    a.display_name, a.description, a.system_prompt, a.agent_type, a.status, a.is_default,
    a.context_window, a.max_output_tokens, a.max_tool_iterations, a.temperature,
    a.budget_monthly_cents, a.frontmatter, a.tools_config, a.sandbox_config, a.subagents_config,
    a.memory_config, a.compaction_config, a.context_pruning, a.other_config, a.created_at,
    a.updated_at
from agents a join providers p on p.id = a.provider_id where a.owner_id = 'bench'
"""

Call = tuple[Server, bytes]


def get(path: str, key: str = "") -> bytes:
    return request("GET", path, {"authorization": f"Bearer {key}"} if key else {})


async def measure_lists(scene: Scene) -> Sequence[Row]:
    gateway = await scene.gateway()
    peers = await scene.peer_dsn()
    rows: list[Row] = []
    for path, query, key in (
        ("/v1/api-keys", KEYS, gateway.admin_key),
        ("/v1/agents?limit=50", AGENTS, gateway.user_key),
    ):
        table = "list_" + path.partition("?")[0].rpartition("/")[2].replace("-", "_")
        columns = await copy_rows(scene.dsn, query, peers, table)
        route = scene.peer("route", peers, table)
        calls: dict[str, Call] = {
            "route": (route, get("/items")),
            "gateway": (gateway, get(path, key)),
        }
        rows += await compare(scene, path, columns, calls, judged=True)
    return [*rows, *await over_graphql(scene, gateway, peers)]


async def over_graphql(scene: Scene, gateway: Gateway, peers: str) -> Sequence[Row]:
    headers = {"authorization": f"Bearer {gateway.user_key}"}
    body = orjson.dumps({"query": QUERY})
    calls: dict[str, Call] = {
        "route": (scene.peer("route", peers, "list_api_keys"), get("/items")),
        "gateway": (gateway, request("POST", "/graphql", headers, body)),
    }
    return await compare(scene, "agents over /graphql", 12, calls, judged=False)


async def compare(
    scene: Scene, path: str, columns: int, calls: Mapping[str, Call], *, judged: bool
) -> Sequence[Row]:
    count = scene.effort.some(CALLS)
    variants: dict[str, Measure] = {}
    sizes = {}
    for name, (server, data) in calls.items():
        answer = await ask_once(server.port, data)
        sizes[name] = len(answer.body)
        variants[name] = partial(cpu_of_list, server, data, len(answer.body), count)
    samples = await alternate(variants, scene.effort.rounds)
    ratio = samples.ratio("cpu", "gateway", "route")
    ours, theirs = (samples.median(name, "cpu") for name in ("gateway", "route"))
    words = f"list of {ROWS} rows x {columns} fields, {path} / route"
    details = (
        f"{ours:.0f} / {theirs:.0f} us, rounds {samples.spread('cpu', 'gateway', 'route')}, "
        f"{sizes['gateway'] / 1000:.1f} / {sizes['route'] / 1000:.1f} kB"
    )
    if judged:
        return [at_most(words, ratio, 2, details=details)]
    return [figure(f"  {words}", f"{ratio:.2f}x", details)]


async def cpu_of_list(server: Server, data: bytes, size: int, calls: int) -> Measured:
    def same(answer: Answer) -> bool:
        """`last_used_at` may be null or a time."""
        return abs(len(answer.body) - size) < 100

    _, measured = await cpu_of(server, data, calls=calls, at_once=AT_ONCE, check=same)
    return measured
