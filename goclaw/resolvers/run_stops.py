"""Stopping every run of every user at once, and letting them go on."""

from uuid import UUID

from goclaw.core.callers import Scope
from goclaw.models.run_stops import RunsState, RunStop, StopRuns
from goclaw.resolvers.context import Context, found
from goclaw.resolvers.operation import operation
from goclaw.store.run_stops import add_stop, current_stop, end_stop, stop_by_id, stop_in_force


@operation(Scope.ADMIN, bound=False)
async def stop_all_runs(ctx: Context, data: StopRuns) -> RunStop:
    """When it returns, no worker begins a run, and those that go on have been told to end. It may
    be repeated, and then tells them again.
    """
    async with ctx.db() as db:
        stop = await stop_in_force(db)
        if stop is None:
            by = ctx.caller.actor
            stop = await add_stop(db, RunStop(reason=data.reason or None, stopped_by=by))
            ctx.announce(db, "run_stop.begun", stop, reason=stop.reason)
    ctx.services.remote.cancel_all()
    return stop


@operation(Scope.ADMIN, bound=False)
async def resume_runs(ctx: Context, id: UUID) -> RunStop:
    """New runs may begin again, as far as this stop goes; one that has ended stays as it is.
    Raises NotFound.
    """
    async with ctx.db() as db:
        stop = found(await stop_by_id(db, id), "run_stop", id)
        if stop.resumed_at is None:
            await end_stop(db, stop, ctx.caller.actor)
            ctx.announce(db, "run_stop.ended", stop)
    return stop


@operation(Scope.READ)
async def get_runs_state(ctx: Context) -> RunsState:
    """Whether runs may begin."""
    return RunsState(await current_stop(ctx.reads))
