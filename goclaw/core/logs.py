"""One log format for our lines and those of libraries: on stderr, for people or for machines."""

import logging
import sys
from contextlib import suppress
from types import TracebackType
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

SHARED: Final[tuple[Processor, ...]] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)

QUIET: Final = (
    "uvicorn.error",
    "uvicorn.access",
    "asyncio",
    "alembic",
    "procrastinate",
    "psycopg.pool",
)
"""Loggers of which only warnings matter; who starts and stops is our own line."""


class _Handler(logging.StreamHandler[TextIO]):
    """A line that cannot be written is not shown either; the library would print its parts."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        kind = type(sys.exception()).__name__
        with suppress(OSError, ValueError):
            sys.stderr.write(f"goclaw: a log line of {record.name} was lost: {kind}\n")


class _Scrub:
    """The processor that takes secrets out; it may be exchanged for one that knows more."""

    def __init__(self) -> None:
        self.process: Processor | None = None

    def __call__(self, logger: WrappedLogger, method: str, line: EventDict) -> EventDict:
        if self.process is None:
            raise RuntimeError("logs are written before they were configured")
        scrubbed = self.process(logger, method, line)
        if not isinstance(scrubbed, dict):
            raise TypeError("a scrubber gives the line back")
        return scrubbed


_SCRUB: Final = _Scrub()


def configure_logs(log_format: str, level: str, scrub: Processor) -> None:
    """Call once in each process, before the first line is written. Every line passes `scrub`
    at last, whoever wrote it, its traceback as text.
    """
    scrub_logs(scrub)
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = _Handler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,  # without local variables
                _SCRUB,
                _renderer(log_format),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))


def scrub_logs(scrub: Processor) -> None:
    """From now on lines pass this one."""
    _SCRUB.process = scrub


def log_uncaught() -> None:
    """What ends the process is a line of the log, too, not a bare traceback."""
    sys.excepthook = _log_exception


def _log_exception(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    structlog.get_logger().critical("process.failed", exc_info=(kind, error, trace))


def _renderer(log_format: str) -> Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer()
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
