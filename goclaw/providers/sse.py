"""Server-sent events from raw bytes (WHATWG HTML, section 9.2), data fields only."""

from typing import Final

LINE_LIMIT_BYTES: Final = 1 << 20


class LineTooLong(Exception):
    pass


class SseDecoder:
    """Feed it network chunks cut anywhere; it gives the data of each event that is complete."""

    __slots__ = ("_more", "_rest", "_size", "fed", "heard")

    def __init__(self) -> None:
        self._rest = b""
        self._more: list[bytes] = []
        self._size = 0
        self.fed = False
        """Whether any byte came."""
        self.heard = False
        """Whether any event came."""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Raises LineTooLong where a line or an event passes `LINE_LIMIT_BYTES`."""
        self.fed = True
        if (
            chunk.find(b"\n") == len(chunk) - 2  # one event and no more, as nearly all chunks are
            and chunk.startswith(b"data:")
            and chunk.endswith(b"\n")
            and not (self._rest or self._more)
            and len(chunk) <= LINE_LIMIT_BYTES
        ):
            self.heard = True
            return [chunk[5:-2]]
        lines = (self._rest + chunk if self._rest else chunk).split(b"\n")
        self._rest = lines.pop()
        events: list[bytes] = []
        data = self._more
        for line in lines:
            if line.startswith(b"data:"):
                data.append(line[5:])
                self._size += len(line)
                if self._size > LINE_LIMIT_BYTES:
                    raise LineTooLong
            elif data and (not line or line == b"\r"):
                events.append(data[0] if len(data) == 1 else b"\n".join(data))
                data.clear()
                self._size = 0
        if len(self._rest) > LINE_LIMIT_BYTES:
            raise LineTooLong
        if events:
            self.heard = True
        return events

    def end(self) -> list[bytes]:
        """The last event, where the stream ended without the blank line behind it."""
        return self.feed(b"\n\n") if self._rest or self._more else []
