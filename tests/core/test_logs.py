"""Every line of the log passes the scrubber, whoever wrote it and however."""

import json
import logging
import sys
from collections.abc import Iterator
from uuid import UUID

import pytest
import structlog

from goclaw.core.logs import configure_logs, log_uncaught, scrub_logs
from goclaw.security.scrub import Scrubber
from goclaw.security.secrets_held import Secrets

HELD = "the-gateway-token-4711"
KEY = "sk-" + "proj-" + "aB3" * 12


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root, hook = logging.getLogger(), sys.excepthook
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers[:], root.level = handlers, level
    sys.excepthook = hook
    structlog.configure(**before)


BOTH = pytest.mark.parametrize("log_format", ["json", "console"])


def configure(log_format: str) -> None:
    """Within the test, as stderr is another one in each of its phases."""
    configure_logs(log_format, "info", Scrubber(Secrets([HELD])).log_line)


def fail(text: str) -> None:
    password = HELD
    raise ValueError(f"cannot connect with {text}{password[:0]}")


@BOTH
def test_weakness_17_a_line_of_ours(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure(log_format)
    structlog.get_logger().warning(
        f"refused token:{HELD}", token="short", header=f"Bearer {KEY}", user=UUID(int=7)
    )
    line = capsys.readouterr().err
    assert HELD not in line
    assert KEY not in line
    assert "short" not in line
    assert line.count("[REDACTED]") == 3
    assert str(UUID(int=7)) in line


@BOTH
def test_a_line_of_a_library(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure(log_format)
    logging.getLogger("vendor").warning("sent %s to %s", KEY, {"password": "x"})
    line = capsys.readouterr().err
    assert KEY not in line
    assert "{'password': '[REDACTED]'}" in line


@BOTH
@pytest.mark.parametrize("ours", [True, False])
def test_tracebacks(log_format: str, ours: bool, capsys: pytest.CaptureFixture[str]) -> None:
    configure(log_format)
    try:
        fail(KEY)
    except ValueError:
        if ours:
            structlog.get_logger().exception("failed", error=ValueError(HELD))
        else:
            logging.getLogger("vendor").exception("failed")
    line = capsys.readouterr().err
    assert "ValueError: cannot connect with [REDACTED]" in line
    assert "Traceback" in line
    assert KEY not in line
    assert HELD not in line


def test_lines_of_machines_stay_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", "info", Scrubber().log_line)
    structlog.get_logger().info(
        "x", body='{"password": "a\\"b"}', n=1, nested={"token": "t", "k": [1]}
    )
    line = json.loads(capsys.readouterr().err)
    assert line["body"] == '{"password": "[REDACTED]"}'
    assert line["nested"] == {"token": "[REDACTED]", "k": [1]}
    assert (line["n"], line["event"], line["level"]) == (1, "x", "info")


def test_a_scrubber_that_knows_more_takes_over(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", "info", Scrubber().log_line)
    log = structlog.get_logger()
    log.info(HELD)
    scrub_logs(Scrubber(Secrets([HELD])).log_line)
    log.info(HELD)
    first, second = capsys.readouterr().err.splitlines()
    assert HELD in first
    assert HELD not in second


@BOTH
def test_what_ends_the_process_is_scrubbed(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(log_format)
    log_uncaught()
    try:
        fail(KEY)
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    line = capsys.readouterr().err
    assert "process.failed" in line
    assert KEY not in line


def test_a_line_that_cannot_be_written_is_not_shown_either(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("json")
    logging.getLogger("vendor").warning("%d", KEY)
    assert capsys.readouterr().err == "goclaw: a log line of vendor was lost: TypeError\n"
