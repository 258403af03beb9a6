"""What stands where a secret is expected, and whether it is one."""

import re
from dataclasses import dataclass
from typing import Final

from goclaw.security.secret_formats import Span

_QUOTED_LIMIT: Final = 8192
QUOTE: Final = re.compile(r"[bru]?(?P<slashes>\\{0,7})(?P<mark>[\"'`])")
BARE: Final = re.compile(r"[^\s\"'`<>,;&|(){}\[\]\\]{1,512}+")
_BARE_REST: Final = re.compile(r"[^\s\"'`<>,;&|(){}\[\]\\]*+")
_LINE_REST: Final = re.compile(r"[^\r\n\"'`\\]*+")
_PLACEHOLDER: Final = re.compile(
    r"\*+|[xX]{3,}|\.{2,}|…|-+|\?|%[sdr]|%\(\w+\)s|\$?\{.*\}|\$[A-Z][A-Z0-9_]+|\$[A-Za-z_]+|\$\(.*\)|%\w+%|:\w+"
    r"|<.*>|\[REDACTED\]|your[-_ ](?:\w|[- ])*",
    re.DOTALL,
)
_WORDS: Final = frozenset(
    {
        *("none", "null", "nil", "true", "false", "yes", "no", "on", "off", "str", "string"),
        *("text", "bytes", "int", "integer", "number", "bool", "boolean", "object", "any"),
        *("optional", "required", "secretstr", "undefined", "missing", "invalid", "wrong"),
        *("incorrect", "expired", "revoked", "unknown", "empty", "unset", "hidden", "masked"),
        *("redacted", "password", "passwd", "secret", "token", "varchar", "env", "self", "auto"),
        *("await", "new", "this", "that", "it"),
        *("bearer", "basic", "mandatory", "default", "set", "ok", "valid", "changed", "refused"),
        *("denied", "char", "uuid", "in", "is", "not", "and", "or", "file", "input", "hash"),
    }
)
_CODE: Final = re.compile(r"[A-Za-z_][\w.]*!?", re.ASCII)
_LETTERS: Final = re.compile(r"[A-Za-z_.]+", re.ASCII)
# Of what variables that hold secrets are called.
_VARIABLES: Final = ("pass", "pwd", "secret", "credential", "token", "key", "dsn", "signature")
_DIGITS: Final = re.compile(r"\d+")
_PATHS: Final = ("/", "./", "../", "~/", "http://", "https://")
_BASE64_SIGN: Final = re.compile(r"[+=]")
_ALNUM: Final = re.compile(r"[^\W_]")
HAS_DIGIT: Final = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class _Value:
    """What stands where a value is expected."""

    start: int
    end: int
    quoted: bool


def secret_at(text: str, at: int, sep: str, *, weak: bool) -> Span | None:
    """The value that begins at `at`, behind a name and `sep`. A `weak` name stands before other
    things, too.
    """
    value = _value_at(text, at)
    if value is None:
        return None
    if value.quoted:
        kept = _quoted_is_secret(text[value.start : value.end], weak=weak)
        return (value.start, value.end) if kept else None
    kept = _bare_is_secret(text, value, sep, weak=weak)
    return (value.start, run_end(text, value.end)) if kept else None


def _value_at(text: str, at: int) -> _Value | None:
    quote = QUOTE.match(text, at)
    if quote is not None:
        return _quoted(text, quote)
    bare = BARE.match(text, at)
    return None if bare is None else _Value(at, bare.end(), quoted=False)


def _quoted(text: str, quote: re.Match[str]) -> _Value | None:
    """Up to the same quote with the same backslashes before it; where it is cut, to its end."""
    start = quote.end()
    end = _closing(text, start, quote["mark"], len(quote["slashes"]))
    if end is None:
        rest = _LINE_REST.match(text, start, start + _QUOTED_LIMIT)
        end = start if rest is None else rest.end()
    return None if end == start else _Value(start, end, quoted=True)


def _closing(text: str, start: int, mark: str, slashes: int) -> int | None:
    """Where the value ends. JSON within JSON doubles backslashes and adds one before quotes, so
    `slashes` of them close what they opened, and a quote of the value itself has others.
    """
    limit = start + _QUOTED_LIMIT
    at = text.find(mark, start, limit)
    while at != -1:
        before = text[start:at] if at - start < 64 else text[at - 64 : at]
        run = len(before) - len(before.rstrip("\\"))
        if run % (2 * (slashes + 1)) == slashes:
            return at - slashes
        at = text.find(mark, at + 1, limit)
    return None


def _quoted_is_secret(value: str, *, weak: bool) -> bool:
    if is_placeholder(value) or value.lower() in _WORDS or not _ALNUM.search(value):
        return False
    if not weak:
        return True
    if len(value) < 8 or any(sign.isspace() for sign in value[:64]):
        return False
    return HAS_DIGIT.search(value) is not None or len(value) >= 20


def _bare_is_secret(text: str, value: _Value, sep: str, *, weak: bool) -> bool:
    word = text[value.start : value.end]
    if is_placeholder(word) or word.strip(".:!?").lower() in _WORDS:
        return False
    if is_template(text, value.start) or not _ALNUM.search(word):
        return False
    if _is_code(word, text[value.end : value.end + 1]):
        return False
    if weak:
        return looks_random(word)
    if sep in (":", ">", " ") and _LETTERS.fullmatch(word.rstrip(".,:!")):
        return _ends_line(text, value.end)
    return True


def is_placeholder(value: str) -> bool:
    """Stands for a secret, or was one."""
    return _PLACEHOLDER.fullmatch(value) is not None


def is_template(text: str, at: int) -> bool:
    """What a program or a shell fills in."""
    return text.startswith(("${", "$(", "%(", "#{", "{{", "%{"), at)


def _is_code(word: str, after: str) -> bool:
    """A call, an index, an attribute, or a variable named after what it holds."""
    if not _CODE.fullmatch(word):
        return False
    if after and after in "([":
        return True
    if not _LETTERS.fullmatch(word):
        return False
    lower = word.lower()
    return "." in word or any(name in lower for name in _VARIABLES)


def looks_random(word: str) -> bool:
    if len(word) < 8 or (word.startswith(_PATHS) and not _BASE64_SIGN.search(word)):
        return False
    if _DIGITS.fullmatch(word):
        return len(word) >= 16
    if HAS_DIGIT.search(word):
        return True
    return len(word) >= 16 and (len(word) >= 24 or word not in (word.lower(), word.upper()))


def _ends_line(text: str, end: int) -> bool:
    return text[end : end + 1] in ("", "\n", "\r", "}", "\\", "<")


def run_end(text: str, end: int) -> int:
    rest = _BARE_REST.match(text, end)
    return end if rest is None else rest.end()
