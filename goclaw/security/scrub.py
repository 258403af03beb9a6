"""The one scrubber: what leaves for a log, an error, an event or a trace passes it.

Literals are searched with Aho-Corasick, in one pass however many there are. Only where one
stands is looked closer, for a bounded number of steps, so that the time grows with the length
of a text and with nothing else.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

from ahocorasick_rs import AhoCorasick
from structlog.typing import EventDict

from goclaw.security.secret_formats import FORMATS, Span
from goclaw.security.secret_headers import HEADERS
from goclaw.security.secret_names import NAMES, is_secret_name
from goclaw.security.secrets_held import REPLACEMENT, Secrets

Find = Callable[[str, int, int], Span | None]
Rule = tuple[str, Find]
Hit = tuple[int, int, int]
"""Which hint stands where: its index, start and end."""

ROUNDS: Final = 8
"""What is replaced may bring two other halves together; then it is looked at again."""

BEYOND: Final = 200
LOOK_BACK: Final = 32
_JSON_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_BEHIND_NAME: Final = re.compile(r'(?P<quote>\\{0,7}")\s{0,8}:\s{0,8}\Z')
DEPTH: Final = 12
TOO_DEEP: Final = "[TOO DEEP]"
_PLAIN: Final = (bool, int, float, type(None))
_NESTING: Final = (Mapping, list, tuple, set, frozenset)
_WRITTEN: Final = (UUID, date, datetime, timedelta, Decimal, PurePath)


@dataclass(frozen=True, slots=True)
class Finding:
    """Where a secret stands, and what kind it is: `held` for the server's own."""

    kind: str
    start: int
    end: int


def _by_hint(rules: Iterable[tuple[str, Iterable[str], Find]]) -> tuple[list[str], list[Rule]]:
    pairs = [(hint, (kind, find)) for kind, hints, find in rules for hint in hints]
    return [hint for hint, _ in pairs], [rule for _, rule in pairs]


_FORMAT_HINTS, _FORMAT_RULES = _by_hint((rule.kind, rule.hints, rule.find) for rule in FORMATS)
_NAME_HINTS, _NAME_RULES = _by_hint((*NAMES, *HEADERS))
_NAMES_SEARCH: Final = AhoCorasick(_NAME_HINTS)


class Scrubber:
    """Safe to use from several threads."""

    def __init__(self, secrets: Secrets | None = None) -> None:
        self.secrets = Secrets() if secrets is None else secrets
        self._search = (-1, AhoCorasick(_FORMAT_HINTS))

    def scrub(self, text: str) -> str:
        """Each secret in it, or what looks like one, is `[REDACTED]`."""
        for _ in range(ROUNDS):
            found = self.find(text)
            if not found:
                break
            scrubbed = _without(text, _merged(found))
            if scrubbed == text:
                break
            text = scrubbed
        return text

    def clip(self, text: str, limit: int) -> str:
        """Scrubbed and cut to `limit` characters. Reads on beyond them, so that a secret on the
        edge is known as one.
        """
        clipped = self.scrub(text[: limit + BEYOND])
        return clipped if len(clipped) <= limit else clipped[: limit - 1] + "…"

    def find(self, text: str) -> list[Finding]:
        """In no order; findings may overlap."""
        hits = self._searcher().find_matches_as_indexes(text, overlapping=True)
        found = list(_formats_and_held(text, hits)) if hits else []
        lower = text.lower()
        if len(lower) != len(text):  # the one letter whose lower case is two
            lower = text.replace("\u0130", "i").lower()
        hits = _NAMES_SEARCH.find_matches_as_indexes(lower, overlapping=True)
        if hits:
            found.extend(_looked_at(text, hits, _NAME_RULES))
        return found

    def _searcher(self) -> AhoCorasick:
        version, search = self._search
        if version != self.secrets.version:
            version = self.secrets.version
            search = AhoCorasick([*_FORMAT_HINTS, *self.secrets.forms()])
            self._search = (version, search)
        return search

    def scrub_value(self, value: Any, name: str = "", depth: int = DEPTH) -> Any:
        """A value of a field called `name`, with all that is in it: text, mappings, lists. Other
        things become the text that a log would show.
        """
        if isinstance(value, _PLAIN):
            return value
        if name and isinstance(value, (str, bytes)) and value and is_secret_name(name):
            return REPLACEMENT
        if isinstance(value, str):
            return self.scrub(value if not isinstance(value, Enum) else str(value.value))
        if depth == 0 and isinstance(value, _NESTING):
            return TOO_DEEP
        if isinstance(value, Mapping):
            return {
                self.scrub(str(key)): self.scrub_value(item, str(key), depth - 1)
                for key, item in value.items()
            }
        if isinstance(value, _NESTING):
            return [self.scrub_value(item, name, depth - 1) for item in value]
        return self.scrub(str(value) if isinstance(value, _WRITTEN) else repr(value))

    def log_line(self, logger: object, method: str, line: EventDict) -> EventDict:
        """The structlog processor that stands last, after tracebacks have become text."""
        return {key: self.scrub_value(value, key) for key, value in line.items()}


scrub_formats: Final = Scrubber().scrub
"""For places that know no secret of the server's: known formats, names, headers, URLs."""


def _formats_and_held(text: str, hits: list[Hit]) -> Iterator[Finding]:
    known = len(_FORMAT_RULES)
    yield from (Finding("held", start, end) for index, start, end in hits if index >= known)
    yield from _looked_at(text, (hit for hit in hits if hit[0] < known), _FORMAT_RULES)


def _looked_at(text: str, hits: Iterable[Hit], rules: list[Rule]) -> Iterator[Finding]:
    """Hints within what was found already are part of it."""
    covered = 0
    for index, start, end in hits:
        if start < covered:
            continue
        kind, find = rules[index]
        span = find(text, start, end)
        if span is not None:
            covered = max(covered, span[1])
            yield Finding(kind, *span)


def _merged(findings: list[Finding]) -> list[Span]:
    """Findings that touch are one."""
    spans: list[Span] = []
    for start, end in sorted((finding.start, finding.end) for finding in findings):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def _without(text: str, spans: list[Span]) -> str:
    parts: list[str] = []
    at = 0
    for start, end in spans:
        parts += (text[at:start], _replacement(text, start, end))
        at = end
    return "".join((*parts, text[at:]))


def _replacement(text: str, start: int, end: int) -> str:
    """In the quotes of its name where it stands for a number, so that JSON stays JSON."""
    if _JSON_NUMBER.fullmatch(text, start, end):
        name = _BEHIND_NAME.search(text[max(0, start - LOOK_BACK) : start])
        if name is not None:
            return f"{name['quote']}{REPLACEMENT}{name['quote']}"
    return REPLACEMENT
