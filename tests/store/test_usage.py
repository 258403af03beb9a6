"""What runs cost does not depend on how long their traces are kept."""

from decimal import Decimal

import asyncpg

from goclaw.resolvers.chat import start_chat
from goclaw.resolvers.services import Services
from goclaw.resolvers.traces import list_costs
from tests.runtime.test_chat_runs import said
from tests.support.callers import add_agent, add_provider, context
from tests.upstream import ScriptedUpstream


async def test_costs_stay_when_traces_go(
    services: Services, upstream: ScriptedUpstream, dsn: str
) -> None:
    await add_agent(services, await add_provider(services, upstream))
    ctx = context(services)
    await (await start_chat(ctx, said(("user", "Hello?")))).reply()
    await services.traces.flush()
    connection = await asyncpg.connect(dsn)
    await connection.execute("update runs set cost_usd = 0.25; delete from traces")
    await connection.close()

    [row] = await list_costs(ctx)
    assert (row.cost_usd, row.trace_count) == (Decimal("0.25"), 1)
    assert row.input_tokens > 0
    assert await list_costs(context(services, "bob")) == []
