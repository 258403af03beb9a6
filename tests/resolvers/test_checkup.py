"""The security overview: each thing it warns of, and what it says of a server that is well."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from goclaw.core.callers import Scope
from goclaw.core.ids import uuid7
from goclaw.core.settings import Settings
from goclaw.models.activity import Activity
from goclaw.models.api_keys import ApiKeyCreate
from goclaw.models.findings import Finding, FindingStatus
from goclaw.models.shapes import now
from goclaw.resolvers.api_keys import create_api_key, revoke_api_key
from goclaw.resolvers.check_settings import check_settings
from goclaw.resolvers.checkup import get_security_overview
from goclaw.resolvers.services import Services
from goclaw.store.activity import add_activity
from tests.support.callers import context

OK, INFO, WARNING = FindingStatus.OK, FindingStatus.INFO, FindingStatus.WARNING
TOKEN = SecretStr("a-token-that-is-long-enough")


async def overview(services: Services) -> dict[str, Finding]:
    seen = await get_security_overview(context(services, None, Scope.ADMIN))
    assert seen.well is not any(row.status is FindingStatus.FAILED for row in seen.findings)
    subjects = [row.subject for row in seen.findings]
    assert len(set(subjects)) == len(subjects)
    for row in seen.findings:
        assert row.fix or row.status in (OK, INFO)
    return {row.subject: row for row in seen.findings}


async def make(services: Services, *scopes: Scope, **more: Any) -> Any:
    data = ApiKeyCreate(name="k", scopes=list(scopes), **more)
    return await create_api_key(context(services, None, Scope.ADMIN), data)


async def test_keys_are_counted_while_they_work(services: Services) -> None:
    before = await overview(services)
    assert before["administrator keys"].text == "0 of 0 keys that work"
    assert {before[name].status for name in ("administrator keys", "unused keys")} == {OK}

    await make(services, Scope.ADMIN, expires_in=60)
    seen = await overview(services)
    assert seen["administrator keys"] == Finding(OK, "administrator keys", "1 of 1 keys that work")

    endless = await make(services, Scope.ADMIN)
    await make(services, Scope.READ)
    seen = await overview(services)
    assert seen["administrator keys"].status is WARNING
    assert seen["administrator keys"].text == "2 of 3 keys that work, 1 without an end"
    assert (seen["keys without an end"].status, seen["keys without an end"].text) == (
        INFO,
        "2 of 3",
    )
    await revoke_api_key(context(services, None, Scope.ADMIN), endless.id)
    assert (await overview(services))["administrator keys"].status is OK


async def test_keys_that_nobody_uses_are_named(services: Services) -> None:
    key = await make(services, Scope.READ)
    pool = services.database.pool
    age = "update api_keys set created_at = now() - interval '91 days' where id = $1"
    async with pool.acquire() as connection:
        await connection.execute(age, key.id)
    assert (await overview(services))["unused keys"].status is WARNING
    async with pool.acquire() as connection:
        await connection.execute("update api_keys set last_used_at = now() where id = $1", key.id)
    assert (await overview(services))["unused keys"].status is OK


async def test_refused_credentials_of_the_last_hour_are_added_up(services: Services) -> None:
    def row(attempts: int, minutes: int) -> Activity:
        return Activity(
            id=uuid7(),
            actor_type="system",
            actor_id="system",
            action="credential.refused",
            entity_type="credential",
            details={"attempts": attempts},
            created_at=now() - timedelta(minutes=minutes),
        )

    await add_activity(services.database, [row(30, 5), row(69, 50), row(500, 61)])
    seen = (await overview(services))["refused sign-ins"]
    assert (seen.status, seen.text) == (OK, "99 credentials in the last hour")
    await add_activity(services.database, [row(1, 1)])
    assert (await overview(services))["refused sign-ins"].status is WARNING


@pytest.mark.parametrize(
    ("subject", "settings", "status", "text"),
    [
        ("address", {}, OK, "this machine only"),
        ("address", {"host": "10.0.0.1"}, WARNING, "can be read on the way"),
        ("address", {"host": "10.0.0.1", "forwarded_allow_ips": ("10.0.0.2",)}, INFO, "a proxy"),
        (
            "address",
            {"host": "10.0.0.1", "tls_certificate": "/c.pem", "tls_key": "/k.pem"},
            OK,
            "https://10.0.0.1:18790",
        ),
        ("proxies", {}, OK, "none"),
        ("proxies", {"forwarded_allow_ips": ("10.0.0.2",)}, OK, "10.0.0.2"),
        ("proxies", {"forwarded_allow_ips": ("*",)}, WARNING, "any address"),
        ("outbound calls", {}, OK, "public addresses"),
        ("outbound calls", {"allowed_outbound_hosts": ("ollama:11434",)}, INFO, "ollama:11434"),
        ("rate limits", {"rate_per_user": 7}, OK, "7 per user"),
        ("rate limits", {"rate_per_user": 0}, WARNING, "any number per user"),
        ("guessed keys", {}, OK, "20 refused"),
        ("guessed keys", {"failures_per_address": 0}, WARNING, "any number"),
        ("retention", {"keep_traces_days": 9}, INFO, "traces for 9 days, sessions, runs, activity"),
    ],
)
def test_what_settings_tell(
    subject: str, settings: dict[str, Any], status: FindingStatus, text: str
) -> None:
    found = check_settings(Settings(gateway_token=TOKEN, **settings))
    (finding,) = [row for row in found if row.subject == subject]
    assert finding.status is status
    assert text in finding.text
    assert TOKEN.get_secret_value() not in repr(found)
