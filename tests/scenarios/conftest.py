"""One server for all scenarios; each has an agent of its own."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from goclaw.providers.messages import Usage
from tests.conftest import TEMPLATE, run_sql, with_database
from tests.doors.conftest import host_for
from tests.runtime.acting import Bench, every_agent_has
from tests.scenarios.stage import Stage, opened
from tests.upstream import ScriptedUpstream


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Each written token costs one cent."""

    def cost(_: Any, model: str, usage: Usage) -> Decimal:
        return Decimal(usage.output_tokens) / 100

    name = f"t_{uuid4().hex}"
    await run_sql(postgres, f"create database {name} template {TEMPLATE} strategy file_copy")
    bench = Bench()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("goclaw.runtime.accounts.cost_usd", cost)
        every_agent_has(bench, patch)
        async with ScriptedUpstream() as upstream:
            folder = tmp_path_factory.mktemp("scenarios")
            host = host_for(with_database(postgres, name), upstream, folder)
            async with opened(host, upstream, bench) as stage:
                yield stage
    await run_sql(postgres, f"drop database {name} with (force)")
