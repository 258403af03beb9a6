"""Telling a URL what came of a cron job: a POST that is signed, limited, and tried again."""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from time import time
from typing import Any, Final
from uuid import UUID

import aiohttp
import orjson
from yarl import URL

from goclaw.core.errors import GatewayError, UpstreamFailed
from goclaw.models.cron import CronJob, CronRun, DeliveryStatus
from goclaw.models.sealed import SealedColumn
from goclaw.models.shapes import now
from goclaw.resolvers.cron_due import as_server, forget_if_over, tell
from goclaw.resolvers.services import Services
from goclaw.security.outbound import shown
from goclaw.store.cron_due import delivery_to_make
from goclaw.store.sessions import answer_of

TIMEOUT_S: Final = 10
WAITS_S: Final = (30, 120, 600)
"""Between one attempt and the next; there is one more attempt than waits."""
MOST_CHARS: Final = 64_000
"""Of the answer; what is longer is cut, and says so."""
AGAIN: Final = frozenset({408, 425, 429})
"""Refusals that pass by themselves, as those of 500 and above may."""
SIGNATURE: Final = "X-GoClaw-Signature"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt."""

    noted: CronRun
    job: CronJob


@dataclass(frozen=True, slots=True)
class Outcome:
    """`passes`: another attempt may do better."""

    http_status: int | None = None
    error: str | None = None
    passes: bool = False


async def take_delivery(services: Services) -> Delivery | None:
    """One that is due, which is this replica's until its next attempt would be due; None when
    there is nothing to do.
    """
    async with as_server(services).db() as db:
        found = await delivery_to_make(db)
        if found is None:
            return None
        noted, job = found
        noted.delivery_attempts += 1
        noted.delivery_at = now() + timedelta(seconds=TIMEOUT_S + _wait_s(noted))
        return Delivery(noted, job)


def _wait_s(noted: CronRun) -> int:
    return WAITS_S[min(noted.delivery_attempts, len(WAITS_S)) - 1]


async def deliver(services: Services, delivery: Delivery) -> None:
    """Makes the attempt and notes what came of it."""
    outcome = await _attempt(services, delivery)
    ctx = as_server(services)
    async with ctx.db() as db:
        found = await delivery_to_make(db, delivery.noted.id)
        if found is None:
            return
        noted, job = found
        noted.delivery_http_status = outcome.http_status
        noted.delivery_error = outcome.error and services.scrubber.scrub(outcome.error)
        if outcome.passes and noted.delivery_attempts <= len(WAITS_S):
            noted.delivery_at = now() + timedelta(seconds=_wait_s(noted))
            return
        noted.delivery_at = None
        failed = outcome.error is not None
        noted.delivery = DeliveryStatus.FAILED if failed else DeliveryStatus.DELIVERED
        tell(db, "cron_job.delivered", job, run_id=noted.run_id, status=noted.delivery)
        await db.flush()
        await forget_if_over(ctx, db, job.id)


async def _attempt(services: Services, delivery: Delivery) -> Outcome:
    job = delivery.job
    if job.delivery_url is None:
        return Outcome(error="the job has no address any more")
    try:
        body = orjson.dumps(await _payload(services, delivery), default=str)
        headers = _headers(services, delivery, body)
        return await _post(services, URL(job.delivery_url), headers, body)
    except GatewayError as error:
        return Outcome(error=str(error), passes=error.code == "database_unavailable")


async def _post(services: Services, url: URL, headers: dict[str, str], body: bytes) -> Outcome:
    limits = aiohttp.ClientTimeout(total=TIMEOUT_S)
    try:
        response = await services.outbound.request(
            "POST", url, headers=headers, limits=limits, data=body
        )
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        failed = UpstreamFailed("delivery_failed", host=shown(url), reason=type(error).__name__)
        return Outcome(error=str(failed), passes=True)
    status = response.status
    response.close()
    if 200 <= status < 300:
        return Outcome(status)
    refused = UpstreamFailed("delivery_refused", host=shown(url), status=status)
    return Outcome(status, str(refused), passes=status in AGAIN or status >= 500)


def _headers(services: Services, delivery: Delivery, body: bytes) -> dict[str, str]:
    """Signed where there is a secret. Raises Unavailable when that cannot be read."""
    headers = {
        "Content-Type": "application/json",
        "X-GoClaw-Event": "cron_run",
        "X-GoClaw-Delivery": str(delivery.noted.id),
    }
    sealed = delivery.job.delivery_secret
    if sealed is not None:
        secret = services.vault.open(sealed, SealedColumn.CRON_SECRET, delivery.job.id)
        headers[SIGNATURE] = signature(secret, int(time()), body)
    return headers


def signature(secret: str, at_s: int, body: bytes) -> str:
    """Of the time and the body together, so that an old one is not good for ever."""
    signed = hmac.new(secret.encode(), f"{at_s}.".encode() + body, sha256).hexdigest()
    return f"t={at_s},v1={signed}"


async def _payload(services: Services, delivery: Delivery) -> dict[str, Any]:
    noted, job = delivery.noted, delivery.job
    said = await _answer(services, noted.run_id)
    return {
        "id": noted.id,
        "job_id": job.id,
        "job_name": job.name,
        "agent_id": job.agent_id,
        "run_id": noted.run_id,
        "trigger": noted.trigger,
        "status": noted.status,
        "text": said[:MOST_CHARS],
        "text_is_cut": len(said) > MOST_CHARS,
        "error_code": noted.error_code,
        "error": noted.error_message,
        "due_at": noted.due_at,
        "ended_at": noted.ended_at,
        "attempt": noted.delivery_attempts,
    }


async def _answer(services: Services, run_id: UUID | None) -> str:
    """What the run said last, without the server's secrets."""
    answer = None if run_id is None else await answer_of(as_server(services).reads, run_id)
    return "" if answer is None else services.scrubber.scrub(answer.content)
