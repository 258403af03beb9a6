"""Looks through a whole database for secrets in the open.

Every row of every table is read as text, and searched for what the tests use as tokens and keys,
for whatever was sealed in this process, and for what has the form of an API key or of ciphertext
outside the columns that hold it.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import quote

import asyncpg
from ahocorasick_rs import AhoCorasick, Implementation

import goclaw
from goclaw.models.sealed import SealedColumn

CANARIES: Final = (
    "sk-upstream-secret",
    "sk-very-secret",
    "sk-never-told",
    "sk-planted",
    "k" * 32,
    "test-token",
    "a-token-that-nobody-guesses",
)
"""What tests configure, and hand to vendors, wherever the server runs."""

SHORTEST: Final = 12
"""Shorter secrets than this are words that may stand anywhere."""

API_KEY: Final = re.compile(r"goclaw_[0-9a-f]{32}(?![0-9a-f])")
CIPHERTEXT: Final = re.compile(r"^(v1:[0-9a-f]{8}:|aes-gcm:)[A-Za-z0-9+/]{38,}={0,2}$")
QUICKLY_BUILT: Final = Implementation.NoncontiguousNFA
CELLS: Final = "jsonb_each_text(to_jsonb(t))"
BYTES: Final = re.compile(r"\\x([0-9a-f]{2})*")
TABLES: Final = """
    select c.oid::regclass::text as name from pg_class c
    where c.relkind in ('r', 'p', 'm') and c.relnamespace = 'public'::regnamespace
        and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
    order by 1
"""
SEALED: Final = {(place.table, place.column) for place in SealedColumn}


@cache
def vocabulary() -> str:
    """All that the server says itself. Hypothesis draws literals from code for secrets, too."""
    modules = Path(goclaw.__file__).parent.rglob("*.py")
    return "\n".join(module.read_text() for module in modules)


@dataclass(frozen=True, slots=True)
class Leak:
    """`what` begins with the secret and goes on to say how it was written."""

    table: str
    column: str
    what: str


class Secrets:
    """What must not be found, in every spelling of it."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self._spellings: dict[str, str] = {}
        self._search: AhoCorasick | None = None
        self._watches = 0
        for secret in (*CANARIES, *known):
            self.add(secret)

    def add(self, secret: str) -> None:
        if secret in self._known or (len(secret) < SHORTEST and secret not in CANARIES):
            return
        if secret in vocabulary():
            return
        self._known.add(secret)
        for way, spelling in spellings(secret):
            self._spellings.setdefault(spelling.lower(), f"{secret[:16]} {way}")
        self._search = None

    def learn(self, secret: str) -> None:
        """Unless no database is watched that it could be found in."""
        if self._watches:
            self.add(secret)

    @contextmanager
    def watch(self) -> Iterator[None]:
        """What is learned meanwhile is forgotten afterwards."""
        known, spellings = set(self._known), dict(self._spellings)
        self._watches += 1
        try:
            yield
        finally:
            self._watches -= 1
            self._known, self._spellings, self._search = known, spellings, None

    def within(self, text: str) -> Iterator[str]:
        """All at once, as there are thousands of spellings after some hundred tests."""
        if self._search is None:
            self._search = AhoCorasick(list(self._spellings), implementation=QUICKLY_BUILT)
        found = self._search.find_matches_as_strings(text.lower(), overlapping=True)
        yield from {self._spellings[spelling] for spelling in found}
        if API_KEY.search(text):
            yield "an API key"


def spellings(secret: str) -> Iterator[tuple[str, str]]:
    """Case does not count; base64 at each of the three places that it can begin at."""
    raw = secret.encode()
    yield "as it is", secret
    yield "in JSON", secret.encode("unicode_escape").decode()
    yield "reversed", secret[::-1]
    yield "in hexadecimal", raw.hex()
    yield "URL-encoded", quote(secret, safe="")
    yield "URL-encoded throughout", "".join(f"%{byte:02x}" for byte in raw)
    for shift in range(3):
        whole = b64encode(bytes(shift) + raw).decode().rstrip("=")
        core = whole[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]
        yield "in base64", core
        yield "in base64 for URLs", core.replace("+", "-").replace("/", "_")


async def leaks(dsn: str, secrets: Secrets) -> list[Leak]:
    """One statement for the names of the tables, one for all their rows."""
    connection = await asyncpg.connect(dsn)
    try:
        names = [row["name"] for row in await connection.fetch(TABLES)]
        rows = " union all ".join(
            f"select '{name}' as name, cell.* from {name} as t, {CELLS} as cell" for name in names
        )
        found = [row for row in await connection.fetch(rows) if row["value"] is not None]
    finally:
        await connection.close()
    return [leak for name, key, value in found for leak in leaks_of(name, key, value, secrets)]


def leaks_of(table: str, column: str, value: str, secrets: Secrets) -> Iterator[Leak]:
    sealed = (table, column) in SEALED
    if sealed != bool(CIPHERTEXT.match(value)):
        what = "holds no ciphertext" if sealed else "holds ciphertext and is not listed"
        yield Leak(table, column, what)
    text = bytes.fromhex(value[2:]).decode(errors="replace") if BYTES.fullmatch(value) else value
    for what in secrets.within(text):
        yield Leak(table, column, what)
