"""The parent process, watched from outside: what it starts, restarts, refuses and stops."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest

from tests.support.embedded_model import needs_model
from tests.support.processes import all_gone, family, names, words

ROOT = Path(__file__).parents[2]
START_LIMIT_S = 30


class Server:
    def __init__(self, process: subprocess.Popen[bytes], port: int, output: Path) -> None:
        self.process = process
        self.port = port
        self.output = output

    def get(self, path: str, timeout_s: float = 10) -> Any:
        with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=timeout_s) as answer:
            return json.load(answer)

    def wait_ready(self) -> None:
        eventually(lambda: "Ctrl-C stops it" in self.text() or self.process.poll() is not None)
        assert self.process.poll() is None, self.text()

    def text(self) -> str:
        return self.output.read_text()

    def family(self) -> list[psutil.Process]:
        return family(self.process.pid)[1:]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(START_LIMIT_S)


def eventually(condition: Callable[[], bool], limit_s: float = START_LIMIT_S) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GOCLAW_")}
    return {**kept, "GOCLAW_LOCAL_MODEL": "false", **variables}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared, as making a database takes longer than starting one."""
    return tmp_path_factory.mktemp("serve") / "data"


@contextmanager
def launched(data_dir: Path, *options: str, **variables: str) -> Iterator[Server]:
    port = free_port()
    output = data_dir.parent / f"output-{port}"
    command = (sys.executable, "-m", "tests.cli.run_stand_in", "serve")
    with output.open("wb") as file:
        process = subprocess.Popen(
            (*command, "--port", str(port), "--data-dir", str(data_dir), *options),
            cwd=ROOT,
            env=environment(**variables),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    server = Server(process, port, output)
    try:
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(START_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def running(data_dir: Path, *options: str, **variables: str) -> Iterator[Server]:
    with launched(data_dir, *options, **variables) as server:
        server.wait_ready()
        yield server


def refused(data_dir: Path, *options: str, **variables: str) -> tuple[int, str]:
    """Status and output of a server that does not start."""
    with launched(data_dir, *options, **variables) as server:
        return server.process.wait(START_LIMIT_S), server.text()


def test_it_starts_says_where_things_are_and_stops_everything(data_dir: Path) -> None:
    with running(data_dir) as server:
        facts = server.get("/")
        assert facts["parent"] == server.process.pid
        assert facts["connections"] == 40
        assert facts["missing"] == "it is switched off by GOCLAW_LOCAL_MODEL"
        text = server.text()
        for expected in (
            f"http://127.0.0.1:{server.port}/graphql",
            f"http://127.0.0.1:{server.port}/v1",
            f"http://127.0.0.1:{server.port}/docs",
            "embedded PostgreSQL",
            "no embedded model",
            "open to everybody on this machine",
            f"keys create my-key --data-dir {data_dir}\n",
        ):
            assert expected in text
        started = server.family()
        assert {"postgres"} < {*names(started)}
        assert server.stop() == 0
        assert all_gone(started)
        assert "Traceback" not in server.text()


def test_the_database_is_kept_and_a_second_start_is_quick(data_dir: Path) -> None:
    with running(data_dir) as server:
        starts = server.get("/")["starts"]
    began = time.monotonic()
    with running(data_dir) as server:
        assert time.monotonic() - began < 5
        assert server.get("/")["starts"] == starts + 1


def test_two_servers_on_one_folder(data_dir: Path) -> None:
    with running(data_dir) as server:
        status, text = refused(data_dir)
        assert status == 1
        assert f"another server (process {server.process.pid}) uses the data folder" in text
        assert "Traceback" not in text
        assert server.get("/")["pid"]


def test_a_taken_port_is_named(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, text = refused(data_dir, "--port", str(port))
    assert status == 1
    assert f"cannot listen on 127.0.0.1:{port}" in text


def test_a_bad_setting_is_one_line_and_status_2(data_dir: Path) -> None:
    status, text = refused(data_dir, GOCLAW_WORKERS="many")
    assert status == 2
    assert text.startswith("goclaw: GOCLAW_WORKERS: ")
    assert len(text.splitlines()) == 1


def test_an_open_server_is_not_shown_to_other_machines(data_dir: Path) -> None:
    status, text = refused(data_dir, "--host", "0.0.0.0")
    assert status == 2
    assert text.startswith("goclaw: GOCLAW_HOST: 0.0.0.0")
    assert not list(data_dir.glob("goclaw.lock.*"))


def test_an_open_server_for_all_needs_the_flag_and_is_loud(data_dir: Path) -> None:
    with running(data_dir, "--host", "0.0.0.0", "--allow-public-without-token") as server:
        assert "OPEN TO EVERYBODY" in server.text()


def test_with_a_token_the_banner_says_so_and_the_token_stays_hidden(data_dir: Path) -> None:
    with running(data_dir, GOCLAW_GATEWAY_TOKEN="hush-hush", OPENAI_API_KEY="sk-hush") as server:
        assert "GOCLAW_GATEWAY_TOKEN or an API key" in server.text()
        assert "openai (keys from the environment)" in server.text()
        assert "keys create" not in server.text()
        assert "hush" not in server.text()


def test_stopping_lets_open_requests_finish(data_dir: Path) -> None:
    with running(data_dir) as server, ThreadPoolExecutor() as pool:
        answer = pool.submit(server.get, "/slow")
        time.sleep(0.3)
        assert server.stop() == 0
        assert answer.result() == {}


def test_a_second_signal_stops_at_once(data_dir: Path) -> None:
    with running(data_dir) as server, ThreadPoolExecutor() as pool:
        started = server.family()
        answer = pool.submit(server.get, "/slower")
        time.sleep(0.3)
        server.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        began = time.monotonic()
        server.stop(signal.SIGINT)
        assert time.monotonic() - began < 5
        with pytest.raises(OSError):
            answer.result()
        assert all_gone(started)


def test_a_signal_while_starting(data_dir: Path) -> None:
    with launched(data_dir) as server:
        eventually(lambda: bool(server.family()))
        started = server.family()
        assert server.stop() == 0
        assert all_gone(started)
        assert "Traceback" not in server.text()


def test_a_worker_that_dies_is_replaced(data_dir: Path) -> None:
    with running(data_dir) as server:
        before = server.get("/")["pid"]
        with pytest.raises(OSError):
            server.get("/exit")
        eventually(lambda: answers(server) and server.get("/")["pid"] != before)
        assert "worker died" in server.text()


def answers(server: Server) -> bool:
    try:
        server.get("/", timeout_s=2)
    except OSError:
        return False
    return True


def test_workers_share_the_port(data_dir: Path) -> None:
    with running(data_dir, "--workers", "2") as server:
        seen: set[int] = set()

        def ask() -> bool:
            facts = server.get("/")
            assert facts["connections"] == 20
            seen.add(facts["pid"])
            return len(seen) == 2

        eventually(ask)


def test_a_path_prefix(data_dir: Path) -> None:
    with running(data_dir, "--path-prefix", "/claw") as server:
        assert f"http://127.0.0.1:{server.port}/claw/graphql" in server.text()
        assert server.get("/")["pid"]


def test_nothing_outlives_a_parent_that_is_killed(data_dir: Path) -> None:
    with running(data_dir) as server:
        started = server.family()
        starts = server.get("/")["starts"]
        server.stop(signal.SIGKILL)
        eventually(lambda: all_gone(started), 10)
    with running(data_dir) as server:
        assert server.get("/")["starts"] == starts + 1


def test_a_database_that_dies_comes_back(data_dir: Path) -> None:
    with running(data_dir) as server:
        starts = server.get("/")["starts"]
        database = next(
            child
            for child in psutil.Process(server.process.pid).children()
            if child.name() == "postgres"
        )
        database.kill()
        eventually(lambda: answers(server) and server.get("/")["starts"] == starts)
        assert "embedded database died" in server.text()


def test_a_refused_migration_says_why(data_dir: Path) -> None:
    status, text = refused(data_dir, STAND_IN_PREPARE="tests.cli.stand_in:refuse_migration")
    assert status == 1
    assert "the database has version 9999, newer than 0001" in text
    assert "Traceback" not in text


def test_an_application_that_cannot_be_made_ends_the_server(data_dir: Path) -> None:
    status, text = refused(data_dir, STAND_IN="tests.cli.stand_in:refuse")
    assert status == 1
    assert "RuntimeError: no application" in text
    assert "a worker ended while starting" in text


def test_an_external_database_that_is_away(data_dir: Path) -> None:
    dsn = f"postgresql://nobody:hush-hush@127.0.0.1:{free_port()}/none"
    status, text = refused(data_dir, GOCLAW_POSTGRES_DSN=dsn)
    assert status == 1
    assert "the database is not ready to be used" in text
    assert "hush-hush" not in text


@needs_model
def test_no_secret_is_on_a_command_line_or_in_a_new_variable(data_dir: Path) -> None:
    with running(data_dir, GOCLAW_LOCAL_MODEL="true") as server:
        model = server.get("/")["model"]
        assert model is not None
        seen = [*words(server.family())]
        assert "goclaw.cli.worker" in seen
        assert model[1] not in " ".join(seen)


@needs_model
def test_the_embedded_model_answers_beside_the_server(data_dir: Path) -> None:
    with running(data_dir, GOCLAW_LOCAL_MODEL="true") as server:
        base_url, _ = server.get("/")["model"]
        eventually(lambda: is_open(base_url))
        started = server.family()
        server.stop(signal.SIGKILL)
        eventually(lambda: all_gone(started), 10)


def is_open(base_url: str) -> bool:
    try:
        urlopen(base_url.removesuffix("/v1") + "/health", timeout=2).close()
    except (URLError, OSError):
        return False
    return True
