"""In which language a caller reads errors: what it asked for, as far as there are texts."""

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final


class Locale(StrEnum):
    """Languages that error texts are written in; the first one where no other is wanted."""

    EN = "en"
    VI = "vi"
    ZH = "zh"


LOCALES: Final = {locale.value: locale for locale in Locale}
MAX_CHARS: Final = 1000
"""Of a header; browsers send less than 200."""
RANGE: Final = re.compile(
    r"[ \t]*(?P<tag>\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*)"
    r"(?:[ \t]*;[ \t]*q=(?P<weight>0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?[ \t]*",
    re.IGNORECASE | re.ASCII,
)
"""A language range (RFC 4647, 2.1) with its weight (RFC 9110, 12.4.2)."""


def locale_of(*wishes: str | None) -> Locale:
    """The first wish that names a language there is; each is an Accept-Language field."""
    for wish in wishes:
        if wish and (found := preferred(wish)):
            return found
    return Locale.EN


@lru_cache(maxsize=256)
def preferred(accept_language: str) -> Locale | None:
    """The language liked best (RFC 4647, 3.4: `zh-Hant-TW` finds `zh`). None when there is none
    of those named; what is malformed or too long counts as not sent.
    """
    if len(accept_language) > MAX_CHARS:
        return None
    weights = _weights(accept_language)
    for tag in sorted(weights, key=lambda tag: -weights[tag]):
        found = _text_for(tag, weights) if weights[tag] else None
        if found is not None:
            return found
    return None


def _weights(accept_language: str) -> dict[str, float]:
    """Of each range, in the order sent; one sent twice has its first weight."""
    weights: dict[str, float] = {}
    for part in accept_language.split(","):
        match = RANGE.fullmatch(part)
        if match is not None:
            weights.setdefault(match["tag"].lower(), float(match["weight"] or 1))
    return weights


def _text_for(tag: str, weights: dict[str, float]) -> Locale | None:
    """`*` means those that no other range names; a weight of 0 refuses a language."""
    if tag == "*":
        return next((locale for locale in Locale if locale not in weights), None)
    language = tag.partition("-")[0]
    return None if weights.get(language) == 0 else LOCALES.get(language)
