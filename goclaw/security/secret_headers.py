"""Secrets in headers and URLs."""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from typing import Final

from goclaw.security.secret_formats import Span
from goclaw.security.secret_names import LEAD, name_before
from goclaw.security.secret_values import (
    BARE,
    HAS_DIGIT,
    QUOTE,
    is_placeholder,
    is_template,
    looks_random,
    run_end,
)

_SCHEME: Final = re.compile(
    r"(?:Bearer|Basic|Token|Bot|ApiKey|Api-Key|Negotiate|NTLM|SSWS|Key)[ \t]+", re.IGNORECASE
)
_LONG_SCHEME: Final = re.compile(
    r"(?:Digest|AWS4-HMAC-SHA256|OAuth|Hawk|Signature|SharedKey|SharedKeyLite)[ \t]+",
    re.IGNORECASE,
)
_LONG_VALUE: Final = re.compile(r"[^\r\n]{1,4096}+")
_BEARER: Final = re.compile(
    r"(?:[ \t]{1,4}|%20|\+)\\{0,7}[\"'`]?(?P<token>[A-Za-z0-9._~+/=-]{8,512}+)", re.ASCII
)
_TOKEN_REST: Final = re.compile(r"[A-Za-z0-9._~+/=-]*+", re.ASCII)
_BASIC: Final = re.compile(r"[ \t]{1,4}(?P<token>[A-Za-z0-9+/]{6,512}+={0,2})", re.ASCII)
_COOKIES: Final = re.compile(r"[\w.-]{1,64}+=[^\s\"'\\;]{1,8192}+[^\r\n\"'\\]{0,8192}+", re.ASCII)
_USERINFO: Final = re.compile(r"(?P<user>[^\s\"'`<>/?#:@\\]{0,256}+)(?P<colon>:?)")
_PASSWORD: Final = re.compile(r"[^\s\"'`<>/\\]{1,512}(?=@)")
_DATABASE_PASSWORD: Final = re.compile(r"[^\s\"'`<>@\\]{1,512}+(?=@)")
_DATABASES: Final = (
    *("postgres", "postgresql", "asyncpg", "psycopg", "mysql", "mariadb", "mongodb", "mongodb+srv"),
    *("redis", "rediss", "valkey", "amqp", "amqps", "mqtt", "mqtts", "mssql", "clickhouse"),
)
"""Their passwords may have a slash; elsewhere it ends the host."""


def authorization(text: str, _: int, end: int) -> Span | None:
    """The header, however it is written out; the scheme stays."""
    lead = LEAD.match(text, end)
    if lead is None or lead["sep"] == ">":
        return None
    quote = QUOTE.match(text, lead.end())
    at = lead.end() if quote is None else quote.end()
    if long_scheme := _LONG_SCHEME.match(text, at):
        rest = _LONG_VALUE.match(text, long_scheme.end())
        return None if rest is None else rest.span()
    scheme = _SCHEME.match(text, at)
    value = BARE.match(text, at if scheme is None else scheme.end())
    if value is None or is_placeholder(value[0]) or is_template(text, value.start()):
        return None
    if scheme is None and not looks_random(value[0]):
        return None
    return value.start(), run_end(text, value.end())


def bearer(text: str, _: int, end: int) -> Span | None:
    match = _BEARER.match(text, end)
    if match is None:
        return None
    token = match["token"].rstrip(".")
    if not HAS_DIGIT.search(token) and not looks_random(token):
        return None
    rest = _TOKEN_REST.match(text, match.end())
    return match.start("token"), match.end() if rest is None else rest.end()


def basic(text: str, _: int, end: int) -> Span | None:
    """Only what unpacks to `user:password`."""
    match = _BASIC.match(text, end)
    if match is None:
        return None
    token = match["token"]
    try:
        plain = b64decode(token + "=" * (-len(token) % 4), validate=True)
    except (Base64Error, ValueError):
        return None
    return match.span("token") if b":" in plain and plain.isascii() else None


def cookies(text: str, _: int, end: int) -> Span | None:
    lead = LEAD.match(text, end)
    if lead is None or lead["sep"] in (">", "="):
        return None
    quote = QUOTE.match(text, lead.end())
    match = _COOKIES.match(text, lead.end() if quote is None else quote.end())
    return None if match is None else match.span()


def url_credentials(text: str, start: int, end: int) -> Span | None:
    """The password, or the user where it alone is as long as a token."""
    userinfo = _USERINFO.match(text, end)
    if userinfo is None:
        return None
    if not userinfo["colon"]:
        alone = text[userinfo.end() : userinfo.end() + 1] == "@"
        return userinfo.span("user") if alone and len(userinfo["user"]) >= 16 else None
    match = _PASSWORD.match(text, userinfo.end())
    if match is None and name_before(text, start).lower().endswith(_DATABASES):
        match = _DATABASE_PASSWORD.match(text, userinfo.end())
    return None if match is None or is_placeholder(match[0]) else match.span()


HEADERS: Final = (
    ("authorization", ("authorization",), authorization),
    ("bearer", ("bearer",), bearer),
    ("basic", ("basic",), basic),
    ("cookie", ("cookie",), cookies),
    ("url", ("://",), url_credentials),
)
"""Kind, hints in lower case, and what finds the secret's place from where a hint stands."""
