"""Forgetting a user: nothing is left that names them or says what they said; accounts stay."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal

import asyncpg
import pytest

from goclaw.core.callers import Scope
from goclaw.core.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated
from goclaw.core.paging import PageRequest
from goclaw.models.agents import AgentTransfer, AgentView, ShareCreate
from goclaw.models.api_keys import ApiKeyCreate
from goclaw.models.chat import SendMessage
from goclaw.models.delegations import AgentLinkCreate
from goclaw.models.providers import Provider
from goclaw.models.purges import PurgeReport, UserPurge
from goclaw.resolvers.activity import list_activity
from goclaw.resolvers.agent_links import create_agent_link
from goclaw.resolvers.agents import get_agent, list_shares, share_agent, transfer_agents
from goclaw.resolvers.api_keys import create_api_key, list_api_keys
from goclaw.resolvers.chat import start_chat
from goclaw.resolvers.context import Context
from goclaw.resolvers.enter import Credential, enter
from goclaw.resolvers.purges import purge_user
from goclaw.resolvers.runs import cancel_run, list_runs, send_message
from goclaw.resolvers.services import Services
from goclaw.resolvers.sessions import list_sessions
from goclaw.resolvers.traces import list_costs
from goclaw.store import purge as steps
from tests.runtime.test_chat_runs import said
from tests.runtime.test_store_contents import found_in
from tests.support.callers import add_agent, add_provider, context
from tests.upstream import ScriptedUpstream

WHO = "grace.hopper@navy.example"
SECRET = "xyzzyplugh"


@dataclass
class Life:
    """What a user leaves behind: agents, shares, talks, keys, and traces of all that."""

    services: Services
    provider: Provider
    own: AgentView
    others: AgentView
    token: str

    @property
    def boss(self) -> Context:
        return context(self.services, None, Scope.ADMIN)

    async def sign_in(self) -> None:
        """With the key that is bound to the user."""
        ctx = await enter(self.services, Credential(self.token), "test")
        assert ctx.caller.user_id == WHO

    async def purge(self, *, delete_agents: bool = True) -> PurgeReport:
        return await purge_user(self.boss, WHO, UserPurge(delete_agents=delete_agents))


@pytest.fixture
async def life(services: Services, upstream: ScriptedUpstream) -> Life:
    ada, grace = context(services), context(services, WHO, idempotency_key="once")
    provider = await add_provider(services, upstream)
    others = await add_agent(services, provider)
    own = await add_agent(services, provider, "compiler", WHO)
    await share_agent(ada, others.id, ShareCreate(user_id=WHO))
    await share_agent(grace, own.id, ShareCreate(user_id="ada"))
    boss = context(services, None, Scope.ADMIN)
    bound = ApiKeyCreate(name=f"key of {WHO}", scopes=[Scope.WRITE], user_id=WHO)
    key = await create_api_key(boss, bound)
    for agent in ("scribe", "compiler"):
        upstream.reply(text=f"{SECRET} there")
        spoken = said(("user", f"{SECRET}?"), model=f"goclaw:{agent}")
        await (await start_chat(context(services, WHO), spoken)).reply()
    upstream.fail(400, message=f"cannot say {SECRET}")
    run = await send_message(grace, SendMessage(agent_id=others.id, text=SECRET))
    live = services.runner.live.get(run.id)
    if live is not None:
        await live.ended()
    await (await start_chat(ada, said(("user", "Ada's own words.")))).reply()
    peer = await add_agent(services, provider, "peer")
    ends = AgentLinkCreate(
        source_agent_id=others.id,
        target_agent_id=peer.id,
        allow_users=[WHO, "ada"],
        deny_users=[WHO],
    )
    await create_agent_link(ada, ends)
    await services.traces.flush()
    return Life(services, provider, own, others, key.key)


async def set_costs(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("update runs set cost_usd = 0.25")
    await connection.execute("update spans set cost_usd = 0.25 where provider is not null")
    await connection.close()


async def test_nothing_names_the_user_any_more(life: Life, dsn: str) -> None:
    assert set(await found_in(dsn, WHO)) >= {
        "agents", "agent_shares", "api_keys", "sessions", "runs", "traces", "events",
        "activity_logs", "idempotent_requests", "agent_links",
    }  # fmt: skip
    await life.purge()
    assert await found_in(dsn, WHO) == []
    assert await found_in(dsn, SECRET) == []


async def test_others_keep_what_is_theirs(life: Life, dsn: str) -> None:
    await life.purge()
    ada = context(life.services)
    assert len((await list_sessions(ada, PageRequest())).rows) == 1
    assert "messages" in await found_in(dsn, "Ada's own words.")
    assert (await get_agent(ada, life.others.id)).owner_id == "ada"
    assert await list_shares(ada, life.others.id) == []
    with pytest.raises(NotFound):
        await get_agent(ada, life.own.id)


async def test_the_report_says_what_went_and_the_activity_too(life: Life) -> None:
    report = await life.purge()
    rows = {row.table: (row.deleted, row.anonymised) for row in report.tables}
    assert rows["sessions"] == (3, 0)
    assert rows["messages"] == (5, 0)
    assert rows["traces"] == (3, 0)
    assert rows["spans"] == (6, 0)
    assert rows["runs"] == (0, 3)
    assert rows["agents"] == rows["api_keys"] == (0, 1)
    assert rows["agent_shares"] == (1, 1)
    [row] = (await list_activity(life.boss, PageRequest(), action="user.purged")).rows
    assert (row.entity_type, row.entity_id, row.actor_id) == ("user", str(report.id), "system")
    assert row.details is not None
    assert row.details["rows"]["sessions"] == 3


async def test_the_accounts_are_the_same(life: Life, dsn: str) -> None:
    await set_costs(dsn)
    before = list(map(dict, await list_costs(life.boss)))
    report = await life.purge()
    assert list(map(dict, await list_costs(life.boss))) == before
    assert sum(row["cost_usd"] for row in before) == Decimal("1.00")
    runs = (await list_runs(life.boss, PageRequest())).rows
    assert {run.user_id for run in runs} == {"ada", report.pseudonym}
    assert all(run.error_message is None for run in runs)


async def test_a_key_of_the_user_is_revoked(life: Life) -> None:
    await life.sign_in()
    await life.purge()
    with pytest.raises(Unauthenticated):
        await life.sign_in()
    [key] = (await list_api_keys(life.boss, PageRequest())).rows
    assert key.revoked
    assert key.name == "purged"


async def test_who_owns_agents_is_refused_until_they_are_given_away(life: Life) -> None:
    with pytest.raises(Conflict) as refused:
        await life.purge(delete_agents=False)
    assert (refused.value.code, refused.value.params) == ("user_owns_agents", {"agents": 1})
    await life.sign_in()
    assert len((await list_sessions(context(life.services, WHO), PageRequest())).rows) == 3

    await transfer_agents(life.boss, WHO, AgentTransfer(user_id="ada"))
    await life.purge(delete_agents=False)
    assert (await get_agent(context(life.services), life.own.id)).owner_id == "ada"


async def test_while_a_run_goes_on_nothing_is_touched(
    life: Life, upstream: ScriptedUpstream, dsn: str
) -> None:
    upstream.silence()
    grace = context(life.services, WHO)
    run = await send_message(grace, SendMessage(agent_id=life.others.id, text="Think."))
    with pytest.raises(Conflict) as refused:
        await life.purge()
    assert refused.value.code == "user_has_runs"
    await life.sign_in()
    await cancel_run(grace.afresh(), run.id)
    await life.purge()
    assert await found_in(dsn, WHO) == []


async def test_one_that_was_cut_short_is_finished_by_the_next(
    life: Life, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = steps.Step("runs", "$1::text is null or 1 / (length($1::text) - 25) = 0")
    with monkeypatch.context() as patch:
        patch.setattr("goclaw.resolvers.purges.STEPS", (*steps.STEPS[:3], broken))
        with pytest.raises(asyncpg.DataError):
            await life.purge()
    assert "traces" in await found_in(dsn, WHO)
    await life.purge()
    assert await found_in(dsn, WHO) == []


async def test_two_at_once_and_one_more_afterwards(life: Life, dsn: str) -> None:
    reports = await asyncio.gather(life.purge(), life.purge(), life.purge())
    assert await found_in(dsn, WHO) == []
    sessions = [row.deleted for r in reports for row in r.tables if row.table == "sessions"]
    assert sum(sessions) == 3
    again = await life.purge()
    assert {row.deleted + row.anonymised for row in again.tables} == {0}


async def test_batches_reach_the_end(life: Life, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "BATCH", 1)
    await life.purge()
    assert await found_in(dsn, WHO) == []


async def test_only_an_administrator_and_only_a_user(life: Life) -> None:
    with pytest.raises(Forbidden):
        await purge_user(context(life.services, WHO), WHO, UserPurge())
    with pytest.raises(InvalidInput):
        await purge_user(life.boss, "system", UserPurge())
    with pytest.raises(InvalidInput):
        await purge_user(life.boss, "\x00", UserPurge())
    with pytest.raises(InvalidInput):
        await transfer_agents(life.boss, "\x00", AgentTransfer(user_id="ada"))
    assert await transfer_agents(life.boss, "u" * 300, AgentTransfer(user_id="ada")) == []
