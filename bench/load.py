"""A lean HTTP/1.1 client that keeps connections and measures."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median, quantiles
from time import perf_counter
from typing import Final, cast

from bench.answers import WORD

LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
LAST_CHUNK: Final = b"0\r\n\r\n"
LONGEST_S: Final = 60
"""What one measurement may take."""


class BadAnswer(Exception):
    """The text is what was answered."""


@dataclass(slots=True)
class Answer:
    """Times are seconds from the sending of the request."""

    status: int = 0
    raw: bytearray = field(default_factory=bytearray)
    total_s: float = 0
    words: int = 0
    first_word_s: float = 0
    pauses_s: list[float] = field(default_factory=list)
    """Between one arrival of words and the next."""

    @property
    def longest_pause_s(self) -> float:
        return max(self.pauses_s, default=0)

    @property
    def body(self) -> bytes:
        """Chunked bodies with their frames."""
        return bytes(self.raw.partition(b"\r\n\r\n")[2])


def request(
    method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
    if body:
        lines.append("content-type: application/json")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._answer = Answer()
        self._done: asyncio.Future[Answer] | None = None
        self._began = 0.0
        self._last_word = 0.0
        self._needed = 0
        """Bytes of head and body; 0: not known yet; -1: chunked."""

    @classmethod
    async def open(cls, port: int, local: str = "127.0.0.1") -> "Connection":
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(cls, "127.0.0.1", port, local_addr=(local, 0))
        return connection

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def ask(self, data: bytes) -> Answer:
        """Raises BadAnswer when the connection ends before the answer does."""
        if self._transport is None:
            raise BadAnswer("the connection was closed")
        self._answer = Answer()
        self._needed = 0
        self._done = self._loop.create_future()
        self._began = self._last_word = perf_counter()
        self._transport.write(data)
        return await self._done

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._done is not None and not self._done.done():
            self._done.set_exception(BadAnswer(f"cut off: {self._answer.raw[-500:]!r}"))

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        answer.raw += data
        words = data.count(WORD)
        if words:
            self._note_words(answer, words)
        if self._needed == 0:
            self._read_head(answer)
        if self._needed == -1:
            complete = answer.raw.endswith(LAST_CHUNK)
        else:
            complete = 0 < self._needed <= len(answer.raw)
        if complete and self._done is not None and not self._done.done():
            answer.total_s = perf_counter() - self._began
            self._done.set_result(answer)

    def _note_words(self, answer: Answer, words: int) -> None:
        now = perf_counter()
        if answer.words:
            answer.pauses_s.append(now - self._last_word)
        else:
            answer.first_word_s = now - self._began
        answer.words += words
        self._last_word = now

    def _read_head(self, answer: Answer) -> None:
        end = answer.raw.find(b"\r\n\r\n")
        if end < 0:
            return
        answer.status = int(answer.raw[9:12])
        length = LENGTH.search(answer.raw, 0, end)
        self._needed = -1 if length is None else end + 4 + int(length[1])


@dataclass(slots=True)
class Load:
    """What came of many calls."""

    calls: int
    elapsed_s: float
    answers: list[Answer]

    def median_s(self) -> float:
        return median(answer.total_s for answer in self.answers)

    def median_first_s(self) -> float:
        return median(answer.first_word_s for answer in self.answers)

    def longest_pause_s(self) -> float:
        return max(answer.longest_pause_s for answer in self.answers)

    def pause_s(self, percent: int) -> float:
        """That of this percentile, over the pauses of all answers."""
        return quantiles((each for a in self.answers for each in a.pauses_s), n=100)[percent - 1]


async def run_load(
    port: int,
    data: bytes,
    *,
    calls: int,
    at_once: int,
    check: Callable[[Answer], bool],
    spread_s: float = 0,
) -> Load:
    """`spread_s`: over how long the first calls are spread. Raises BadAnswer at the first
    answer that `check` refuses.
    """
    left = calls
    answers: list[Answer] = []

    async def caller(number: int) -> None:
        nonlocal left
        if spread_s:
            await asyncio.sleep(spread_s * number / at_once)
        connection = await Connection.open(port)
        try:
            while left > 0:
                left -= 1
                answer = await connection.ask(data)
                if answer.status != 200 or not check(answer):
                    raise BadAnswer(bytes(answer.raw[:2000]).decode(errors="replace"))
                answer.raw = bytearray()
                answers.append(answer)
        finally:
            connection.close()

    began = perf_counter()
    try:
        async with asyncio.timeout(LONGEST_S), asyncio.TaskGroup() as group:
            for number in range(at_once):
                group.create_task(caller(number))
    except* BadAnswer as refused:
        raise refused.exceptions[0] from None
    return Load(calls, perf_counter() - began, answers)


async def ask_once(port: int, data: bytes) -> Answer:
    connection = await Connection.open(port)
    try:
        async with asyncio.timeout(LONGEST_S):
            return await connection.ask(data)
    finally:
        connection.close()
