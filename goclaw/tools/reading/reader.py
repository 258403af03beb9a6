"""Starts the process that reads, and ends it when it takes too long."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import orjson
import structlog

from goclaw.tools.reading.unreadable import Unreadable

log = structlog.get_logger()

ROOT: Final = Path(__file__).resolve().parents[3]
COMMAND: Final = (sys.executable, "-s", "-P", "-m", "goclaw.tools.reading")
ENVIRONMENT: Final = {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
"""All that the process is told: no setting, no key."""
AT_ONCE: Final = 4
MAX_ANSWER_BYTES: Final = 16 << 20


class Reader:
    """At most `at_once` processes; the others wait. `timeout_s` is for one reading."""

    def __init__(self, *, at_once: int = AT_ONCE, timeout_s: float = 25) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._timeout_s = timeout_s

    async def read(self, kind: str, data: bytes, **options: object) -> dict[str, Any]:
        """What the reader of that kind makes of the data. Raises Unreadable."""
        async with self._slots:
            answer = await self._ask(kind, data, options)
        if "broken" in answer:
            log.info("reading.broken", kind=kind, error=answer["broken"])
        if "refused" in answer:
            raise Unreadable(answer["refused"])
        return answer

    async def _ask(self, kind: str, data: bytes, options: dict[str, object]) -> dict[str, Any]:
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            kind,
            orjson.dumps(options).decode(),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=ENVIRONMENT,
            cwd="/",
        )
        try:
            async with asyncio.timeout(self._timeout_s):
                said, _ = await asyncio.gather(_said(process), _tell(process, data))
                await process.wait()
        except TimeoutError:
            raise Unreadable(f"it takes more than {self._timeout_s:g} s to read") from None
        finally:
            await _end(process)
        if process.returncode != 0:
            log.warning("reading.died", kind=kind, returncode=process.returncode)
            raise Unreadable("reading it takes more time or memory than it may")
        answer: dict[str, Any] = orjson.loads(said)
        return answer


async def _tell(process: Process, data: bytes) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError, ConnectionResetError):  # it ended without reading
        process.stdin.write(data)
        await process.stdin.drain()
    process.stdin.close()


async def _said(process: Process) -> bytes:
    assert process.stdout is not None
    said = bytearray()
    while chunk := await process.stdout.read(1 << 16):
        said += chunk
        if len(said) > MAX_ANSWER_BYTES:
            raise Unreadable("its text is too long")
    return bytes(said)


async def _end(process: Process) -> None:
    """What it still says is thrown away: asyncio waits for the end of its words, too, and for ever
    where nobody reads them.
    """
    with suppress(ProcessLookupError):
        process.kill()
    assert process.stdout is not None
    while await process.stdout.read(1 << 16):
        """Until it is heard out."""
    await process.wait()
