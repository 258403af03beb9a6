"""A gateway whose agents have the tools of the bench, and what a run leaves behind in it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any, TypeVar

import aiohttp

from goclaw.core.host import Host
from goclaw.models.agents import AgentCreate, AgentPatch, AgentView
from goclaw.models.providers import Provider
from goclaw.resolvers.agents import create_agent, update_agent
from tests.doors.calling import Caller
from tests.runtime.acting import Bench
from tests.support.callers import add_provider, context
from tests.support.server import RunningServer, running_server
from tests.upstream import ScriptedUpstream

LIMIT_S = 10
AT_ONCE = {"calls", "tool.call", "tool.result"}
T = TypeVar("T", str, tuple[str, ...])

NEWEST = "query ($agentId: UUID!) { runs(first: 1, agentId: $agentId) { nodes { id sessionId } } }"
RECORD = """
    query ($id: UUID!) {
        run(id: $id) {
            status errorCode inputTokens outputTokens cachedTokens costUsd
            session { messages { nodes { runId role content toolCalls toolCallId } } }
            trace {
                status totalInputTokens totalOutputTokens totalCostUsd
                spanCount llmCallCount toolCallCount
                spans {
                    id parentSpanId spanType name status
                    durationMs inputTokens outputTokens costUsd
                }
            }
        }
    }
"""
EVENTS = """
    subscription ($after: String, $topics: [String!]) {
        events(after: $after, topics: $topics) { kind payload }
    }
"""
CURSOR = "{ server { eventsCursor } }"


@dataclass
class Stage:
    server: RunningServer
    upstream: ScriptedUpstream
    bench: Bench
    provider: Provider
    ada: Caller

    async def agent(self, key: str, **limits: Any) -> AgentView:
        data = AgentCreate(
            key=key,
            provider_id=self.provider.id,
            model="scripted-1",
            system_prompt="Write.",
            **limits,
        )
        return await create_agent(context(self.server.services), data)

    async def lift(self, agent: AgentView) -> None:
        """The agent's budget."""
        patch = AgentPatch(budget_monthly_cents=None)
        await update_agent(context(self.server.services), agent.id, patch)

    async def cursor(self) -> str:
        return str((await self.ada.graphql(CURSOR)).data["server"]["eventsCursor"])

    async def newest(self, agent: AgentView) -> Any:
        """The agent's last run, once it has one."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                rows = (await self.ada.graphql(NEWEST, agentId=str(agent.id))).data["runs"]["nodes"]
                if rows and rows[0]["sessionId"] is not None:
                    return rows[0]
                await asyncio.sleep(0.01)

    async def record(self, run_id: str) -> "Record":
        return Record((await self.ada.graphql(RECORD, id=run_id)).data["run"], run_id)

    async def settled(self, run_id: str, holds: Callable[["Record"], bool]) -> "Record":
        """The record once it is as expected, or as it is after a while."""
        for _ in range(100):
            record = await self.record(run_id)
            if holds(record):
                break
            await asyncio.sleep(0.03)
        return record

    async def told(self, run_id: str, after: str) -> list[str]:
        """What a subscriber finds who comes back: kinds of events, of tools with the call."""
        told: list[str] = []
        async with asyncio.timeout(LIMIT_S):
            async with self.ada.follow(EVENTS, after=after, topics=[f"run:{run_id}"]) as events:
                while not told or told[-1] != "run.ended":
                    event = (await events.next())["events"]
                    call = event["payload"].get("call_id")
                    told.append(event["kind"] if call is None else f"{event['kind']} {call}")
        return together(told, lambda kind: kind.partition(" ")[0])


class Record:
    """What is stored of a run, in the words of the table of scenarios."""

    def __init__(self, run: Any, run_id: str) -> None:
        self.run, self.trace = run, run["trace"]
        self.messages = [
            _message(message)
            for message in run["session"]["messages"]["nodes"]
            if message["runId"] == run_id
        ]
        self.spans: list[tuple[str, ...]] = []
        self.agent_status = ""
        if self.trace is not None:
            self._read(self.trace["spans"])

    def _read(self, spans: list[Any]) -> None:
        [agent] = [span for span in spans if span["parentSpanId"] is None]
        assert agent["spanType"] == "AGENT"
        self.agent_status = agent["status"]
        assert all(span["durationMs"] is None or span["durationMs"] >= 0 for span in spans)
        steps = [span for span in spans if span is not agent]
        assert {span["parentSpanId"] for span in steps} <= {agent["id"]}
        self.spans = together([_step(span) for span in steps], lambda step: step[0])

    @property
    def counted(self) -> dict[str, Any]:
        """Tokens and money as run, trace and spans have them; they must agree."""
        spans = self.trace["spans"]
        run, trace = self.run, self.trace
        return {
            "run": (run["inputTokens"], run["outputTokens"], _money(run["costUsd"])),
            "trace": (
                trace["totalInputTokens"],
                trace["totalOutputTokens"],
                _money(trace["totalCostUsd"]),
            ),
            "spans": (
                sum(span["inputTokens"] or 0 for span in spans),
                sum(span["outputTokens"] or 0 for span in spans),
                sum((_money(span["costUsd"]) for span in spans), Decimal(0)),
            ),
            "counts": (trace["spanCount"], trace["llmCallCount"], trace["toolCallCount"]),
        }


def _money(text: str | None) -> Decimal:
    return Decimal(text or 0).normalize()


def _message(message: Any) -> tuple[str, str]:
    calls = [call["id"] for call in message["toolCalls"] or ()]
    return message["toolCallId"] or message["role"].lower(), said(message["content"], calls)


def said(text: str | None, calls: list[str]) -> str:
    return " ".join([*([text] if text else []), *(f"<{id}>" for id in calls)])


def _step(span: Any) -> tuple[str, ...]:
    kind = {"LLM_CALL": "asks", "TOOL_CALL": "calls"}[span["spanType"]]
    return kind, span["name"], span["status"].lower()


def together(items: list[T], kind: Callable[[T], str]) -> list[T]:
    """Tools work at the same time, so of neighbours any order is right: they are sorted."""
    told: list[T] = []
    for name, neighbours in groupby(items, kind):
        group = list(neighbours)
        told += sorted(group) if name in AT_ONCE else group
    return told


PRICES = {"*": {"input_usd": 0, "output_usd": 10_000}}
"""Each written token costs one cent."""


@asynccontextmanager
async def opened(host: Host, upstream: ScriptedUpstream, bench: Bench) -> AsyncIterator[Stage]:
    async with running_server(host) as server, aiohttp.ClientSession() as http:
        provider = await add_provider(
            server.services, upstream, max_attempts=3, breaker_failures=0, prices=PRICES
        )
        ada = Caller(http, server.url, server.token, "ada")
        yield Stage(server, upstream, bench, provider, ada)
