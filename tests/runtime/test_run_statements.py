"""How often a run that acts asks the database."""

import pytest

from goclaw.resolvers.services import Services
from goclaw.store import database as floor
from goclaw.store.group_commit import Arguments
from goclaw.store.pool import Pool, Row
from tests.runtime.acting import set_scene
from tests.upstream import ScriptedUpstream, call


async def test_a_run_of_k_steps_costs_a_fixed_number_of_statements_each(
    services: Services, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = await set_scene(services, upstream)
    counts = []
    for steps in (1, 2, 3):
        sent: list[str] = []
        fetch, grouped = floor.fetch, floor.Database.grouped

        async def fetched(pool: Pool, sql: str, arguments: Arguments, **how: bool) -> list[Row]:
            sent.append(sql)  # noqa: B023
            return await fetch(pool, sql, arguments, **how)  # noqa: B023

        async def sent_along(
            self: floor.Database, sql: str, arguments: Arguments, **how: bool
        ) -> Row | None:
            sent.append(sql)  # noqa: B023
            return await grouped(self, sql, arguments, **how)  # noqa: B023

        for _ in range(steps):
            scene.upstream.reply(calls=(call("weather", city=f"c{steps}"),))
        scene.upstream.reply("Done.")
        with monkeypatch.context() as patch:
            patch.setattr("goclaw.store.steps.fetch", fetched)
            patch.setattr(floor.Database, "grouped", sent_along)
            await (await scene.start()).reply()
        counts.append(len(sent))
    assert counts == [5, 7, 9]  # begin, last word, end; intent and result of each step
