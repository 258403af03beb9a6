"""Secrets told by the name before them: `password=x`, `"api_key": "x"`, `--token x`."""

import re
from string import ascii_letters, digits
from typing import Final

from goclaw.security.secret_formats import Span
from goclaw.security.secret_values import BARE, HAS_DIGIT, run_end, secret_at

_PASSWORDS: Final = ("password", "passwd", "passphrase", "passcode", "secret", "credential")
_TOKENS: Final = (
    "token",
    *("api_key", "apikey", "api-key"),
    *("access_key", "accesskey", "access-key", "account_key", "accountkey"),
    *("secret_key", "secretkey", "secret-key", "private_key", "privatekey", "private-key"),
    *("encryption_key", "encryptionkey", "signing_key", "signingkey", "master_key", "masterkey"),
    *("auth_key", "authkey", "auth-key", "shared_key", "sharedkey", "subscription-key"),
    *("service_key", "function_key", "license_key", "webhook_key", "private_key_id"),
    *("x-amz-signature", "x-goog-signature", "dsn", "session_id_token", "sessionid"),
)
_WHOLE_SECRETS: Final = (
    *_PASSWORDS,
    *("credentials", "authorization", "cookie", "pwd"),
)
# These count as names only as a whole word; alone they stand in too many others.
_SHORT: Final = ("pwd", "pass", "_pw", "auth", "creds")
_FOLDERS: Final = ("/", "./", "../")
_ENVIRONMENT: Final = ("_key",)
_QUERY: Final = ("?key=", "&key=", "?sig=", "&sig=", "?code=", "&code=", "&signature=")

# What may follow the word within the name, what closes the name, and what leads to the value.
LEAD: Final = re.compile(
    r"(?:s(?=[\"'\\]))?(?i:[_-]?\d{1,3}|[_-](?:base|value|text|plain|b64|base64|prod|dev|test|live))?"
    r"(?P<close>\\{0,7}[\"'`]?\]?)[ \t]{0,8}"
    r"(?P<sep>=>|:=|={1,2}|:|%3[AaDd]|,(?=[ \t]?b?\\{0,7}[\"'])|>)[ \t]{0,8}"
)
_NAME_LIMIT: Final = 48
_NAME: Final = f"{ascii_letters}{digits}_.+-"
_LAST_WORD: Final = re.compile(r"[A-Z]?[a-z]*\Z")

# What can follow; most words in prose are told by this alone.
_FOLLOWS: Final = frozenset(" \\\"'`]:=,>%_-s\t0123456789")

_SIGNS: Final = frozenset(":= \t>,")

# Tokens of paging and of models, and keys that open nothing.
_NO_TOKENS: Final = frozenset(
    {
        *("page", "next", "prev", "previous", "continuation", "cursor", "last", "first", "per"),
        *("eos", "bos", "pad", "unk", "sep", "stop", "cls", "mask", "special", "end", "start"),
    }
)
_NO_KEYS: Final = frozenset(
    {
        *("public", "primary", "foreign", "cache", "sort", "partition", "routing", "registry"),
        *("idempotency", "dedup", "group", "lock", "row", "object", "hot", "any", "shortcut"),
        *("index", "unique", "map", "dict", "storage", "agent", "event", "message", "config"),
    }
)


def named_password(text: str, start: int, end: int) -> Span | None:
    return _named(text, start, end, weak=False)


def named_token(text: str, start: int, end: int) -> Span | None:
    return _named(text, start, end, weak=True)


def short_name(text: str, start: int, end: int) -> Span | None:
    """`pwd` and the like, as words of their own: `DB_PASS`, `dbPass`, `pwd`, not `bypass`.

    `PWD` may be a folder, and a `pass` or `auth` without anything before it a result.
    """
    word = start + (text[start] == "_")
    before = text[max(0, word - 1) : word]
    if before.isalnum() and not text[word].isupper():
        return None
    alone = before == "" or before not in "_-."
    span = _named(text, start, end, weak=alone and text[start:end].lower() != "pwd")
    return None if span is None or text.startswith(_FOLDERS, span[0]) else span


def environment_key(text: str, start: int, end: int) -> Span | None:
    """`SOME_KEY=`: capitals and an equals sign, as a shell or an .env file has it."""
    if not text[start:end].isupper() or text[end : end + 1] not in ("=", '"'):
        return None
    return _named(text, start, end, weak=True)


def query_value(text: str, _: int, end: int) -> Span | None:
    match = BARE.match(text, end)
    if match is None or len(match[0]) < 10 or not HAS_DIGIT.search(match[0]):
        return None
    return end, run_end(text, match.end())


def _named(text: str, start: int, end: int, *, weak: bool) -> Span | None:
    """`weak` names stand before other things than secrets, too."""
    after = text[end : end + 1]
    if after not in _FOLLOWS:
        return None
    if after == " " and text[end + 1 : end + 2] not in _SIGNS:
        return _option(text, start, end, weak=weak)
    lead = LEAD.match(text, end)
    if lead is None:
        return None
    name = name_before(text, start)
    if not _leads(text, start, name, lead) or (weak and _is_other(name)):
        return None
    return secret_at(text, lead.end(), lead["sep"], weak=weak)


def _option(text: str, start: int, end: int, *, weak: bool) -> Span | None:
    """Of a command line: `--name value`."""
    if not name_before(text, start).startswith("--"):
        return None
    return secret_at(text, end + 1, " ", weak=weak)


def name_before(text: str, at: int) -> str:
    """The part of a name that ends at `at`."""
    piece = text[max(0, at - _NAME_LIMIT) : at]
    return piece[len(piece.rstrip(_NAME)) :]


def _is_other(name: str) -> bool:
    word = _LAST_WORD.search(name.rstrip("_.-"))
    lower = name.rstrip("_.-").lower() if word is None or not word[0] else word[0].lower()
    lower = re.split(r"[_.-]", lower)[-1]
    return lower in _NO_TOKENS or lower in _NO_KEYS


def _leads(text: str, start: int, name: str, lead: re.Match[str]) -> bool:
    """Whether what follows the name makes it a name: also `<name>value` and `'name', `."""
    sep = lead["sep"]
    if sep == ",":
        return lead["close"][-1:] in ('"', "'")
    if sep == ">":
        at = start - len(name)
        return text[max(0, at - 1) : at] == "<"
    return True


def is_secret_name(name: str) -> bool:
    """Whether the value of a field with this name is a secret, whatever it looks like."""
    lower = name.lower()
    if lower.endswith(_WHOLE_SECRETS):
        return True
    ending = next((token for token in _TOKENS if lower.endswith(token)), None)
    return ending is not None and not _is_other(name[: -len(ending)])


NAMES: Final = (
    ("named_password", _PASSWORDS, named_password),
    ("named_token", _TOKENS, named_token),
    ("short_name", _SHORT, short_name),
    ("environment_key", _ENVIRONMENT, environment_key),
    ("query", _QUERY, query_value),
)
"""Kind, hints in lower case, and what finds the secret's place from where a hint stands."""
