import asyncio
from typing import Final
from uuid import uuid4

from goclaw.core.callers import SYSTEM, Scope
from goclaw.core.errors import Conflict, InvalidInput
from goclaw.models.purges import PurgedTable, PurgeReport, UserPurge
from goclaw.resolvers.agents import let_go
from goclaw.resolvers.api_keys import revoke_keys_of
from goclaw.resolvers.context import Context
from goclaw.resolvers.operation import operation
from goclaw.resolvers.refs import as_user_id
from goclaw.store.agents import agents_of
from goclaw.store.purge import STEPS, TABLES, carry_out, live_runs_of

SETTLE_S: Final = 0.3
"""Until other workers have written the traces of runs that have just ended."""


@operation(Scope.ADMIN)
async def purge_user(ctx: Context, user_id: str, data: UserPurge) -> PurgeReport:
    """Deletes what a user said and did, with the files in this server's data folder, and revokes
    the keys bound to the user; figures of runs and audit rows stay under a pseudonym. It may be
    repeated, and then finishes what was left.

    Raises Conflict, before anything is changed, while a run of the user goes on, or when the
    user owns agents that are not to go too; at the end when a run has begun meanwhile.
    """
    user_id = as_user_id(user_id)
    if user_id == SYSTEM:
        raise InvalidInput("user_not_purgeable", field="user_id", user_id=user_id)
    await _refuse_while_running(ctx, user_id)
    await _let_agents_go(ctx, user_id, data)
    await revoke_keys_of(ctx, user_id)
    await ctx.services.traces.flush()
    await asyncio.sleep(SETTLE_S)
    report = await _forget(ctx, user_id)
    await asyncio.to_thread(ctx.services.workspaces.forget, user_id)
    await _refuse_while_running(ctx, user_id)
    async with ctx.db() as db:
        counts = {row.table: row.deleted + row.anonymised for row in report.tables}
        ctx.announce(db, "user.purged", report, rows={t: n for t, n in counts.items() if n})
    return report


async def _refuse_while_running(ctx: Context, user_id: str) -> None:
    async with ctx.db() as db:
        if runs := await live_runs_of(db, user_id):
            raise Conflict("user_has_runs", runs=runs)


async def _let_agents_go(ctx: Context, user_id: str, data: UserPurge) -> None:
    async with ctx.db() as db:
        agents = await agents_of(db, user_id)
        if agents and not data.delete_agents:
            raise Conflict("user_owns_agents", field="delete_agents", agents=len(agents))
        for agent in agents:
            await let_go(ctx, db, agent)
            ctx.announce(db, "agent.deleted", agent, agent_id=agent.id)
            ctx.agents.clear(agent.id)


async def _forget(ctx: Context, user_id: str) -> PurgeReport:
    id = uuid4()  # says nothing of the time, and nothing of the user
    pseudonym = f"purged-{id}"
    deleted, anonymised = dict.fromkeys(TABLES, 0), dict.fromkeys(TABLES, 0)
    for step in STEPS:
        counts = deleted if step.deletes else anonymised
        counts[step.table] += await carry_out(ctx.services.database, step, user_id, pseudonym)
    tables = [
        PurgedTable(table=table, deleted=deleted[table], anonymised=anonymised[table])
        for table in TABLES
    ]
    return PurgeReport(id=id, pseudonym=pseudonym, tables=tables)
