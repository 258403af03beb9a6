"""One server for all scenarios; each has an agent of its own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.doors.conftest import host_for
from tests.runtime.acting import Bench, every_agent_has
from tests.scenarios.stage import Stage, opened
from tests.support.databases import Databases
from tests.upstream import ScriptedUpstream


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    bench = Bench()
    with pytest.MonkeyPatch.context() as patch:
        every_agent_has(bench, patch)
        async with databases.lent() as dsn, ScriptedUpstream() as upstream:
            host = host_for(dsn, upstream, tmp_path_factory.mktemp("scenarios"))
            async with opened(host, upstream, bench) as stage:
                yield stage
