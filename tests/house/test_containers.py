"""Dockerfile and compose file, as far as they can be checked without an engine."""

import re
import shlex
import string
from pathlib import Path
from typing import Any

import pytest
import yaml

from goclaw.core.settings import KEYED_PROVIDERS, Settings, is_loopback

ROOT = Path(__file__).parents[2]
INSTRUCTIONS = {
    "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "RUN",
    "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
}  # fmt: skip


def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text()
    whole = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    lines = [line for line in whole.splitlines() if line.strip()]
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for name, rest in instructions():
        if name == "FROM":
            found.append([])
        found[-1].append((name, rest))
    return found


@pytest.fixture
def services() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    services: dict[str, Any] = document["services"]
    assert set(document["volumes"]) == {
        volume.split(":")[0]
        for service in services.values()
        for volume in service.get("volumes", ())
    }
    return services


def variables_known(names: set[str]) -> bool:
    own = {f"GOCLAW_{name.upper()}" for name in Settings.model_fields}
    vendors = {f"{name.upper()}_API_KEY" for name in KEYED_PROVIDERS}
    return names <= own | vendors


def test_every_line_is_an_instruction() -> None:
    assert {name for name, _ in instructions()} <= INSTRUCTIONS
    for name, rest in instructions():
        if name == "RUN":
            assert shlex.split(rest)


def test_stages_copy_only_from_what_exists() -> None:
    names = [re.fullmatch(r"\S+ AS (\S+)", stage[0][1]) for stage in stages()[:-1]]
    known = {match[1] for match in names if match}
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for name, rest in instructions():
        if name != "COPY":
            continue
        source = re.match(r"--from=(\S+)", rest)
        if source:
            assert source[1] in known
            continue
        for path in rest.split()[:-1]:
            assert f"!{path.strip('/').split('/')[0]}" in ignored


def test_what_runs_is_small_pinned_and_not_root() -> None:
    last = stages()[-1]
    assert [rest for name, rest in last if name == "USER"] == ["goclaw"]
    assert [rest for name, rest in last if name == "CMD"] == ['["goclaw", "serve"]']
    installs = [
        rest for name, rest in instructions() if name == "RUN" and "-r requirements" in rest
    ]
    assert installs
    assert all("--require-hashes" in rest for rest in installs)


def test_the_container_speaks_the_settings_of_the_class() -> None:
    [environment] = [rest for name, rest in stages()[-1] if name == "ENV"]
    given = dict(part.split("=", 1) for part in shlex.split(environment))
    ours = {name: value for name, value in given.items() if name.startswith("GOCLAW_")}
    assert variables_known(set(ours))
    assert not is_loopback(ours["GOCLAW_HOST"])
    [port] = [rest for name, rest in stages()[-1] if name == "EXPOSE"]
    assert int(port) == Settings.model_fields["port"].default


def test_compose_brings_a_database_with_vectors_and_redis(services: dict[str, Any]) -> None:
    assert services["postgres"]["image"].startswith("pgvector/pgvector:pg18")
    assert services["redis"]["image"].startswith("redis:")
    for name in services["gateway"]["depends_on"]:
        assert services[name]["healthcheck"]["test"]


def test_compose_speaks_the_settings_of_the_class(services: dict[str, Any]) -> None:
    environment = services["gateway"]["environment"]
    assert variables_known(set(environment))
    assert "@postgres/" in environment["GOCLAW_POSTGRES_DSN"]
    assert "//redis:" in environment["GOCLAW_REDIS_URL"]


def test_compose_has_no_secret_and_asks_for_each(services: dict[str, Any]) -> None:
    environment = services["gateway"]["environment"]
    for name in ("GOCLAW_GATEWAY_TOKEN", "GOCLAW_ENCRYPTION_KEY"):
        assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", environment[name])
    assert re.match(r"\$\{\w+:\?", services["postgres"]["environment"]["POSTGRES_PASSWORD"])


def test_compose_publishes_the_gateway_alone_and_on_loopback(services: dict[str, Any]) -> None:
    assert services["gateway"]["ports"] == ["127.0.0.1:18790:18790"]
    assert "ports" not in services["postgres"]
    assert "ports" not in services["redis"]


def test_compose_waits_longer_than_the_server_takes_to_stop(services: dict[str, Any]) -> None:
    grace = int(services["gateway"]["stop_grace_period"].strip(string.ascii_lowercase))
    assert grace > Settings.model_fields["shutdown_grace_s"].default + 5
