"""The secrets this server holds, in every form in which they could leave it."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from threading import Lock
from typing import Final
from urllib.parse import parse_qs, quote, quote_plus, unquote, urlsplit

from goclaw.core.host import Host
from goclaw.core.settings import Settings

REPLACEMENT: Final = "[REDACTED]"
SHORTEST: Final = 6
"""Anything shorter would take the words of every text with it."""

SHORTEST_WORD: Final = 12
"""The same for one of lower-case letters alone: `postgres` is a password, and a word."""

SHORTEST_LEARNED: Final = 16
"""For keys that users bring: nobody may strike words out of the log by calling them a key."""

MAX_OWN: Final = 512
MAX_LEARNED: Final = 512
LONGEST: Final = 8192


class Secrets:
    """`own` are those of the server's settings. What it learns later is bounded; the key that
    was not used for the longest time goes first. Safe to use from several threads.
    """

    def __init__(self, own: Iterable[str] = ()) -> None:
        self._own = frozenset([secret for secret in own if is_tellable(secret)][:MAX_OWN])
        self._learned: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()
        self.version = 0
        """Grows when the forms change."""

    def learn(self, secret: str) -> None:
        if len(secret) < SHORTEST_LEARNED or not is_tellable(secret) or secret.isalpha():
            return
        with self._lock:
            known = secret in self._learned or secret in self._own
            if secret not in self._own:
                self._learned[secret] = None
                self._learned.move_to_end(secret)
            if len(self._learned) > MAX_LEARNED:
                self._learned.popitem(last=False)
            self.version += not known

    def forms(self) -> list[str]:
        with self._lock:
            secrets = [*self._own, *self._learned]
        return list(dict.fromkeys(form for secret in secrets for form in forms_of(secret)))


def is_tellable(secret: str) -> bool:
    """Whether its occurrence in a text means this secret and nothing else."""
    if not SHORTEST <= len(secret) <= LONGEST or secret.isspace() or secret in REPLACEMENT:
        return False
    if secret.isalpha() and secret.islower():
        return len(secret) >= SHORTEST_WORD
    return True


def forms_of(secret: str) -> Iterator[str]:
    """As it is, escaped for JSON, for URLs, in hex, and in base64 at each of the three places
    in which it can begin there.
    """
    raw = secret.encode()
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    for escaped in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield escaped
        yield escaped.replace("%", "%25")
        yield _lower_escapes(escaped)
    yield raw.hex()
    yield raw.hex().upper()
    for before in range(3):
        yield from _base64_forms(raw, before)


def _base64_forms(raw: bytes, before: int) -> Iterator[str]:
    """`before` bytes stand in front. Characters that hold bits of a neighbour are left out."""
    start = (before * 8 + 5) // 6
    end = (before + len(raw)) * 8 // 6
    padded = bytes(before) + raw
    yield b64encode(padded).decode()[start:end]
    yield urlsafe_b64encode(padded).decode()[start:end]


def _lower_escapes(escaped: str) -> str:
    first, *rest = escaped.split("%")
    return "%".join([first, *(piece[:2].lower() + piece[2:] for piece in rest)])


def secrets_of(settings: Settings) -> Iterator[str]:
    own = (settings.gateway_token, settings.api_key, settings.encryption_key)
    for secret in (*own, *settings.old_encryption_keys, *settings.provider_keys.values()):
        if secret is not None:
            yield secret.get_secret_value()
    for address in (settings.postgres_dsn, settings.redis_url):
        if address is not None:
            yield from passwords_in(address.get_secret_value())
    for value in settings.collector_headers.values():
        yield value
        yield value.rpartition(" ")[2]  # without the scheme, such as Bearer


def secrets_of_host(host: Host) -> Iterator[str]:
    yield from secrets_of(host.settings)
    yield from passwords_in(host.dsn)
    if host.local_model is not None:
        yield host.local_model.api_key


def passwords_in(address: str) -> Iterator[str]:
    """Of a database's address: before the host, or a parameter. As written and as meant."""
    parts = urlsplit(address)
    userinfo, at, _ = parts.netloc.rpartition("@")
    password = userinfo.partition(":")[2]
    if at and password:
        yield password
        yield unquote(password)
    yield from parse_qs(parts.query).get("password", ())
