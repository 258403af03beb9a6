"""What came of a cron job is posted to an address: signed, tried again, never into the own
network.
"""

import asyncio
import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
import pytest
from aiohttp import web

from goclaw.core.host import Host
from goclaw.models.agents import AgentView
from goclaw.models.cron import CronJobCreate, CronJobPatch, CronJobView, CronRun
from goclaw.resolvers import cron_delivery
from goclaw.resolvers.cron import create_cron_job, run_cron_job, update_cron_job
from tests.jobs.conftest import Serve, Sql
from tests.jobs.cron_jobs import history, job
from tests.support.callers import add_agent, add_provider, context
from tests.support.server import RunningServer, running_server
from tests.upstream import ScriptedUpstream

SECRET = "delivery-secret-0123456789abcdef"


@dataclass
class Receiver:
    """Answers with `statuses` in turn, then with 204."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.heard.append((dict(request.headers), await request.read()))
        status = self.statuses.pop(0) if self.statuses else 204
        location = {"Location": "/elsewhere"} if status in (301, 302) else {}
        return web.Response(status=status, headers=location)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook?for=ada"
    yield receiver
    await runner.cleanup()


@pytest.fixture
async def allowing(host: Host, receiver: Receiver) -> AsyncIterator[RunningServer]:
    """A server whose administrator allows the receiver."""
    address = receiver.url.split("/")[2]
    hosts = (*host.settings.allowed_outbound_hosts, address)
    settings = host.settings.model_copy(update={"allowed_outbound_hosts": hosts})
    async with running_server(replace(host, settings=settings)) as server:
        yield server


@pytest.fixture
async def agent(allowing: RunningServer, upstream: ScriptedUpstream) -> AgentView:
    return await add_agent(allowing.services, await add_provider(allowing.services, upstream))


async def made(server: RunningServer, agent: AgentView, url: str, **more: Any) -> CronJobView:
    data: CronJobCreate = job(agent, delivery_url=url, **more)
    return await create_cron_job(context(server.services), data)


async def delivered(server: RunningServer, made: CronJobView) -> CronRun:
    """The last time of it, once nothing is to be delivered any more."""
    async with asyncio.timeout(30):
        while True:
            [noted, *_] = await history(server, made.id)
            if noted.delivery in ("delivered", "failed"):
                return noted
            await asyncio.sleep(0.1)


async def test_the_answer_is_posted_and_signed(
    allowing: RunningServer, agent: AgentView, receiver: Receiver, sql: Sql
) -> None:
    news = await made(allowing, agent, receiver.url, delivery_secret=SECRET)
    assert news.has_delivery_secret
    run = await run_cron_job(context(allowing.services), news.id)
    noted = await delivered(allowing, news)
    assert (noted.delivery, noted.delivery_http_status, noted.delivery_error) == (
        "delivered",
        204,
        None,
    )
    [(headers, body)] = receiver.heard
    said = orjson.loads(body)
    assert (said["run_id"], said["job_id"]) == (str(run.id), str(news.id))
    assert (said["status"], said["text"]) == ("completed", "Hello from the scripted model.")
    assert headers["X-GoClaw-Delivery"] == said["id"] == str(noted.id)
    at, _, signature = headers["X-GoClaw-Signature"].partition(",v1=")
    signed = at.removeprefix("t=").encode() + b"." + body
    assert signature == hmac.new(SECRET.encode(), signed, sha256).hexdigest()
    stored = await sql("select delivery_secret from cron_jobs")
    assert SECRET not in stored[0][0]
    await update_cron_job(context(allowing.services), news.id, CronJobPatch(delivery_secret=None))
    await run_cron_job(context(allowing.services), news.id)
    async with asyncio.timeout(20):
        while len(receiver.heard) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert "X-GoClaw-Signature" not in receiver.heard[1][0]


async def test_what_failed_is_posted_too(
    allowing: RunningServer,
    agent: AgentView,
    receiver: Receiver,
    upstream: ScriptedUpstream,
) -> None:
    upstream.fail(400)
    news = await made(allowing, agent, receiver.url)
    await run_cron_job(context(allowing.services), news.id)
    assert (await delivered(allowing, news)).delivery == "delivered"
    said = orjson.loads(receiver.heard[0][1])
    assert (said["status"], said["text"], said["error_code"]) == ("error", "", "upstream_refused")
    assert said["error"]


@pytest.mark.parametrize(
    ("statuses", "ends", "attempts"),
    [
        ([503, 429], "delivered", 3),
        ([500, 500, 500, 500], "failed", 4),
        ([410], "failed", 1),
        ([302], "failed", 1),
    ],
)
async def test_what_may_pass_is_tried_again(
    allowing: RunningServer,
    agent: AgentView,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    statuses: list[int],
    ends: str,
    attempts: int,
) -> None:
    """Four times in all; redirects are not followed."""
    monkeypatch.setattr(cron_delivery, "WAITS_S", (0, 0, 0))
    last = [*statuses, 204][attempts - 1]
    receiver.statuses = statuses
    news = await made(allowing, agent, receiver.url)
    await run_cron_job(context(allowing.services), news.id)
    noted = await delivered(allowing, news)
    assert (noted.delivery, noted.delivery_attempts) == (ends, attempts)
    assert noted.delivery_http_status == last
    assert len(receiver.heard) == attempts
    if ends == "failed":
        assert f"status {last}" in (noted.delivery_error or "")
        assert "for=ada" not in (noted.delivery_error or "")


async def test_weakness_46_no_answer_is_posted_into_the_own_network(
    serve: Serve, upstream: ScriptedUpstream, receiver: Receiver, sql: Sql
) -> None:
    """Nor is it when the address was stored before it was refused."""
    async with serve() as server:
        agent = await add_agent(server.services, await add_provider(server.services, upstream))
        news = await made(server, agent, "https://hooks.example.com/x")
        await sql("update cron_jobs set delivery_url = $1", receiver.url)
        await run_cron_job(context(server.services), news.id)
        noted = await delivered(server, news)
    assert (noted.delivery, noted.delivery_attempts) == ("failed", 1)
    assert "reserved address" in (noted.delivery_error or "")
    assert receiver.heard == []


async def test_an_address_that_is_away_is_tried_again(
    allowing: RunningServer, agent: AgentView, receiver: Receiver, sql: Sql
) -> None:
    news = await made(allowing, agent, receiver.url)
    await sql("update cron_jobs set delivery_url = $1", "https://nowhere.invalid/hook")
    await run_cron_job(context(allowing.services), news.id)
    async with asyncio.timeout(20):
        while not (noted := (await history(allowing, news.id))[0]).delivery_error:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert (noted.delivery, noted.delivery_attempts) == ("pending", 1)
    assert noted.delivery_at is not None
    wait = noted.delivery_at - datetime.now(UTC)
    assert timedelta(seconds=20) < wait <= timedelta(seconds=30)


async def test_several_servers_deliver_once(
    allowing: RunningServer, serve: Serve, agent: AgentView, receiver: Receiver
) -> None:
    jobs = [await made(allowing, agent, receiver.url, name=f"j{n}") for n in range(8)]
    hosts = allowing.services.settings.allowed_outbound_hosts
    async with serve(allowed_outbound_hosts=hosts):
        for each in jobs:
            await run_cron_job(context(allowing.services), each.id)
        for each in jobs:
            assert (await delivered(allowing, each)).delivery == "delivered"
    ids = [headers["X-GoClaw-Delivery"] for headers, _ in receiver.heard]
    assert len(ids) == len(set(ids)) == 8


async def test_a_secret_that_cannot_be_read_sends_nothing_unsigned(
    allowing: RunningServer, agent: AgentView, receiver: Receiver, sql: Sql
) -> None:
    news = await made(allowing, agent, receiver.url, delivery_secret=SECRET)
    await sql(
        "update cron_jobs set delivery_secret = overlay(delivery_secret placing 'ffffffff' from 4)"
    )
    await run_cron_job(context(allowing.services), news.id)
    noted = await delivered(allowing, news)
    assert noted.delivery == "failed"
    assert receiver.heard == []
