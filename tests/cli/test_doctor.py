"""`goclaw doctor`: each check with something wrong, and with nothing wrong."""

import asyncio
import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from goclaw.cli import check_machine, check_providers
from goclaw.core.callers import Scope
from goclaw.core.errors import Forbidden, Unavailable, UpstreamFailed
from goclaw.models.agents import AgentCreate
from goclaw.models.findings import FindingStatus
from goclaw.models.sealed import SealedColumn
from goclaw.resolvers.agents import create_agent
from goclaw.resolvers.checkup import check_stored, get_security_overview
from goclaw.resolvers.services import Services
from goclaw.security.keys import parse_key
from goclaw.store.migrate import newest_version
from tests.cli.conftest import Command, fetch_rows
from tests.cli.processes import command, running
from tests.cli.test_serve import free_port
from tests.support.callers import add_provider, context
from tests.support.databases import with_database as address_of
from tests.support.vaults import vault_of
from tests.upstream import ScriptedUpstream

Report = dict[str, dict[str, str]]
KEY_HEX = "ab" * 32


@pytest.fixture
def doctor(goclaw: Command) -> Callable[..., Report]:
    """The findings by subject; that the exit status fits them is checked here."""

    def run(*arguments: str) -> Report:
        result = goclaw("doctor", "--json", *arguments)
        report = json.loads(result.stdout)
        findings: list[dict[str, str]] = report["findings"]
        any_failed = any(finding["status"] == "failed" for finding in findings)
        assert (result.exit_code, report["well"]) == (int(any_failed), not any_failed)
        for finding in findings:
            assert bool(finding["fix"]) or finding["status"] in ("ok", "info")
        return {finding["subject"]: finding for finding in findings}

    return run


def test_all_is_well(
    doctor: Callable[..., Report], with_database: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("GOCLAW_GATEWAY_TOKEN", KEY_HEX)
    report = doctor()
    good = {"settings", "sign-in", "encryption key", "database", "version", "vector",
            "connections", "stored secrets", "fan-out"}  # fmt: skip
    assert {name for name, finding in report.items() if finding["status"] == "ok"} >= good
    assert report["version"]["text"] == newest_version()
    assert report["sandbox"]["status"] == "info"
    assert report["providers"]["status"] == "info"


def test_for_people_it_is_a_line_each_and_a_verdict(
    goclaw: Command, with_database: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("GOCLAW_GATEWAY_TOKEN", "short")
    result = goclaw("doctor")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    place = next(number for number, line in enumerate(lines) if "short enough" in line)
    assert lines[place].startswith("warning sign-in")
    assert lines[place + 1].strip().startswith("→ set GOCLAW_GATEWAY_TOKEN")
    assert lines[-1].startswith("0 failed, ")


def test_every_bad_setting_has_a_line(goclaw: Command, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("GOCLAW_PORT", "x")
    environment.setenv("GOCLAW_WORKERS", "0")
    result = goclaw("doctor")
    assert result.exit_code == 1
    assert "failed  settings  GOCLAW_PORT: " in result.stdout
    assert "failed  settings  GOCLAW_WORKERS: " in result.stdout
    assert "2 failed" in result.stdout


@pytest.mark.parametrize(
    ("variables", "status"),
    [
        ({"GOCLAW_HOST": "0.0.0.0"}, "failed"),
        ({"GOCLAW_HOST": "0.0.0.0", "GOCLAW_ALLOW_PUBLIC_WITHOUT_TOKEN": "1"}, "warning"),
        ({}, "info"),
        ({"GOCLAW_GATEWAY_TOKEN": "abc"}, "warning"),
        ({"GOCLAW_HOST": "0.0.0.0", "GOCLAW_GATEWAY_TOKEN": KEY_HEX}, "ok"),
    ],
)
def test_sign_in(
    doctor: Callable[..., Report],
    environment: pytest.MonkeyPatch,
    variables: dict[str, str],
    status: str,
) -> None:
    for name, value in variables.items():
        environment.setenv(name, value)
    assert doctor()["sign-in"]["status"] == status


def test_nothing_is_made(doctor: Callable[..., Report], tmp_path: Path) -> None:
    report = doctor()
    for subject in ("data folder", "encryption key", "database"):
        assert report[subject]["status"] == "info"
    assert not (tmp_path / "data").exists()


def test_the_data_folder(
    doctor: Callable[..., Report], environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o711)
    assert doctor()["data folder"]["status"] == "ok"
    folder.chmod(0o755)
    finding = doctor()["data folder"]
    assert (finding["status"], finding["fix"]) == ("warning", f"chmod go-rw {folder}")
    environment.setattr(os, "access", lambda *_: False)
    assert doctor()["data folder"]["status"] == "failed"
    folder.rmdir()
    assert doctor()["data folder"]["status"] == "failed"
    folder.write_text("a file")
    assert doctor()["data folder"]["status"] == "failed"


def test_the_key_file(doctor: Callable[..., Report], tmp_path: Path) -> None:
    path = tmp_path / "data" / "encryption.key"
    path.parent.mkdir(mode=0o700)
    path.touch(mode=0o600)
    assert doctor()["encryption key"]["status"] == "failed"
    path.write_text(KEY_HEX)
    assert doctor()["encryption key"]["status"] == "ok"
    path.chmod(0o644)
    finding = doctor()["encryption key"]
    assert (finding["status"], finding["fix"]) == ("failed", f"chmod 600 {path}")
    path.unlink()
    path.mkdir()
    assert doctor()["encryption key"]["status"] == "failed"


@pytest.mark.parametrize(
    ("free", "status"), [(1 << 20, "failed"), (1 << 30, "warning"), (1 << 40, "ok")]
)
def test_disk_space(
    doctor: Callable[..., Report], environment: pytest.MonkeyPatch, free: int, status: str
) -> None:
    environment.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert doctor()["disk"]["status"] == status


def test_embedded_model_page_and_sandbox(
    doctor: Callable[..., Report], environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def missing() -> Path:
        raise Unavailable("local_model_missing", reason="the package xllamacpp is not installed")

    environment.setattr(check_machine, "model_file", missing)
    environment.setattr(check_machine, "files", lambda _: tmp_path)
    environment.setattr(shutil, "which", lambda _: None)
    report = doctor()
    assert report["embedded model"]["status"] == "warning"
    assert "xllamacpp is not installed" in report["embedded model"]["text"]
    assert (report["page"]["status"], report["sandbox"]["status"]) == ("warning", "info")
    environment.setenv("GOCLAW_LOCAL_MODEL", "false")
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "index.html").touch()
    report = doctor()
    assert (report["embedded model"]["status"], report["page"]["status"]) == ("info", "ok")


def test_a_database_that_does_not_answer(
    doctor: Callable[..., Report], environment: pytest.MonkeyPatch, postgres: str
) -> None:
    environment.setenv("GOCLAW_POSTGRES_DSN", "postgresql://u:hush-hush@127.0.0.1:1/x")
    finding = doctor()["database"]
    assert finding["status"] == "failed"
    assert "ConnectionRefusedError" in finding["text"]
    assert "GOCLAW_POSTGRES_DSN" in finding["fix"]
    environment.setenv("GOCLAW_POSTGRES_DSN", address_of(postgres, "not_there"))
    assert '"not_there" does not exist' in doctor()["database"]["text"]


def test_no_password_is_told(
    doctor: Callable[..., Report], environment: pytest.MonkeyPatch
) -> None:
    for dsn in ("postgresql://u:hush@ush@127.0.0.1:x/x", "postgresql://u:%68ush@[/x", "hush"):
        environment.setenv("GOCLAW_POSTGRES_DSN", dsn)
        assert "hush" not in json.dumps(doctor())


@pytest.mark.parametrize("version", ["0000", "9999"])
def test_a_database_of_another_version(
    doctor: Callable[..., Report], with_database: str, version: str
) -> None:
    asyncio.run(fetch_rows(with_database, f"update alembic_version set version_num = '{version}'"))
    report = doctor()
    assert report["database"]["status"] == "ok"
    assert report["version"]["status"] == "failed"
    assert ("migrate" in report["version"]["fix"]) is (version == "0000")


def test_a_missing_extension(doctor: Callable[..., Report], with_database: str) -> None:
    asyncio.run(fetch_rows(with_database, "drop extension vector"))
    finding = doctor()["vector"]
    assert finding["status"] == "warning"
    assert "CREATE EXTENSION vector" in finding["fix"]


def test_more_connections_than_there_are(
    doctor: Callable[..., Report], with_database: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("GOCLAW_DB_CONNECTIONS", "500")
    assert doctor()["connections"]["status"] == "failed"


def seal_a_key(dsn: str, name: str, key: str) -> None:
    id = uuid4()
    sealed = vault_of(parse_key(key)).seal("sk-secret", SealedColumn.PROVIDER_KEY, id)
    statement = f"""insert into providers (id, name, provider_type, source, enabled, settings,
        api_key, created_by, created_at, updated_at) values ('{id}', '{name}', 'openai_compat',
        'api', false, '{{}}', '{sealed}', 'ada', now(), now())"""
    asyncio.run(fetch_rows(dsn, statement))


def test_stored_secrets(
    doctor: Callable[..., Report], with_database: str, environment: pytest.MonkeyPatch
) -> None:
    seal_a_key(with_database, "mine", "k" * 32)
    finding = doctor()["stored secrets"]
    assert (finding["status"], finding["text"]) == ("ok", "1, all readable")
    seal_a_key(with_database, "theirs", "x" * 32)
    finding = doctor()["stored secrets"]
    assert finding["status"] == "failed"
    assert finding["text"].endswith(": providers.api_key of theirs")


@pytest.mark.parametrize("key", ["too short", ""])
def test_without_a_usable_key_the_rest_is_still_checked(
    doctor: Callable[..., Report],
    with_database: str,
    environment: pytest.MonkeyPatch,
    key: str,
) -> None:
    seal_a_key(with_database, "mine", "k" * 32)
    environment.setenv("GOCLAW_ENCRYPTION_KEY", key)
    report = doctor()
    assert report["encryption key"]["status"] == ("failed" if key else "warning")
    assert report["stored secrets"]["status"] == "failed"
    assert report["fan-out"]["status"] == "ok"


def test_redis(
    doctor: Callable[..., Report], with_database: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("GOCLAW_REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")
    report = doctor()
    assert report["fan-out"]["status"] == "failed"
    assert report["stored secrets"]["status"] == "ok"


@pytest.fixture
def vendor() -> Iterator[ScriptedUpstream]:
    """Served by a thread, as the command has the main one to itself."""
    loop = asyncio.new_event_loop()

    async def start() -> ScriptedUpstream:
        return await ScriptedUpstream().start()

    with ThreadPoolExecutor(1) as pool:
        upstream = pool.submit(loop.run_until_complete, start()).result(10)
        forever = pool.submit(loop.run_forever)
        yield upstream
        loop.call_soon_threadsafe(loop.stop)
        forever.result(10)
        pool.submit(loop.run_until_complete, upstream.stop()).result(10)
        loop.close()


def add_vendor(dsn: str, name: str, base: str, source: str = "api") -> None:
    statement = f"""insert into providers (id, name, provider_type, source, enabled, settings,
        api_base, created_by, created_at, updated_at) values ('{uuid4()}', '{name}',
        'openai_compat', '{source}', true, '{{}}', '{base}', 'ada', now(), now())"""
    asyncio.run(fetch_rows(dsn, statement))


def test_providers_are_asked_unless_offline(
    doctor: Callable[..., Report],
    with_database: str,
    environment: pytest.MonkeyPatch,
    vendor: ScriptedUpstream,
) -> None:
    gone = f"127.0.0.1:{free_port()}"
    environment.setenv("GOCLAW_ALLOWED_OUTBOUND_HOSTS", f"{vendor.host},{gone}")
    add_vendor(with_database, "good", vendor.base_url())
    add_vendor(with_database, "gone", f"http://{gone}/v1")
    add_vendor(with_database, "private", "http://10.1.2.3/v1")
    add_vendor(with_database, "openai", vendor.base_url(), "environment")
    report = doctor()
    assert report["provider good"]["text"] == "answers, 2 models"
    assert report["provider gone"]["status"] == "failed"
    assert report["provider private"]["status"] == "failed"
    assert "GOCLAW_ALLOWED_OUTBOUND_HOSTS" in report["provider private"]["text"]
    assert report["provider openai"]["status"] == "info"
    environment.setenv("OPENAI_API_KEY", "sk-here-too")
    assert doctor()["provider openai"]["text"] == "answers, 2 models"
    report = doctor("--offline")
    assert report["providers"]["text"] == "4 enabled, not asked (--offline)"


async def test_a_vendor_without_a_list_is_asked_for_a_few_tokens(
    services: Services, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_list(*_: Any) -> None:
        raise UpstreamFailed("upstream_refused", provider="scripted", reason="HTTP 404: no")

    monkeypatch.setattr(check_providers, "list_models", no_list)
    ctx = context(services, None, Scope.ADMIN)
    row = await add_provider(services, upstream)
    (finding,) = await check_providers.check_providers(ctx, offline=False)
    assert (finding.status, upstream.requests) == (FindingStatus.WARNING, [])

    await create_agent(ctx, AgentCreate(key="scribe", provider_id=row.id, model="scripted-1"))
    (finding,) = await check_providers.check_providers(ctx, offline=False)
    assert (finding.status, finding.text) == (FindingStatus.OK, "answers, model scripted-1")
    upstream.fail(401)
    (finding,) = await check_providers.check_providers(ctx, offline=False)
    assert finding.status is FindingStatus.FAILED
    assert "refused its API key" in finding.text


async def test_a_vendor_that_says_nothing_is_given_up(
    services: Services, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: Any) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(check_providers, "LIMIT_S", 0.05)
    monkeypatch.setattr(check_providers, "list_models", never)
    row = await add_provider(services, upstream)
    ctx = context(services, None, Scope.ADMIN)
    finding = await check_providers.check_provider(ctx, row, None)
    assert (finding.status, finding.text) == (FindingStatus.FAILED, "no answer within 0.05 s")


async def test_only_administrators_may_ask(services: Services) -> None:
    for ask in (get_security_overview, partial(check_stored, settings=services.settings)):
        with pytest.raises(Forbidden):
            await ask(context(services, "ada", Scope.WRITE))
        await ask(context(services, None, Scope.ADMIN))


def test_the_embedded_database_beside_a_server_and_without(folder: Path) -> None:
    with running(folder):
        beside = command(folder, "doctor", "--json")
    alone = command(folder, "doctor", "--json")
    for result in (beside, alone):
        assert (result.returncode, result.stderr) == (0, "")
        report = {row["subject"]: row for row in json.loads(result.stdout)["findings"]}
        for subject in ("data folder", "encryption key", "database", "version", "vector"):
            assert report[subject]["status"] == "ok", report
