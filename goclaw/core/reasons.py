"""What is wrong with one input: the part of `invalid_input` and `invalid_json` after the field."""

from typing import Final

from goclaw.core import messages_vi, messages_zh
from goclaw.core.locales import Locale

REASONS: Final[dict[str, str]] = {
    "nul": "must not contain NUL characters",
    "looks_like_uuid": "must not look like a UUID",
    "too_many_bytes": "must be at most {limit} bytes long",
    "whole_number": "must be a whole number",
    "true_or_false": "must be true or false",
    "instant": "must be an instant such as {example}",
    "one_of": "must be one of {values}",
    "between": "must be {low} to {high}",
    "before": "must be before {other}",
    "too_many_points": "the span has more than {limit} points: ask for a shorter one, or for days",
    "at_most": "at most {limit}",
    "characters": "{low} to {high} characters",
    "string": "must be a string",
    "object": "must be an object",
    "json_object": "must be a JSON object",
    "json": "must be JSON",
    "given_twice": "given more than once",
    "differs": "differs from {other}",
    "nested": "nested more than {limit} deep",
    "long_url": "is too long for a URL",
    "url_encoding": "the URL is not encoded as UTF-8",
    "id_or_key": "give either id or key",
    "local_provider": "local is the server's own",
}
"""Our own. Those of pydantic have its English text, and its types as keys in other languages."""

TEXTS: Final = {
    Locale.EN: REASONS,
    Locale.VI: messages_vi.REASONS,
    Locale.ZH: messages_zh.REASONS,
}


class Reason:
    """`english` is the text of one that comes from a library."""

    def __init__(self, code: str, english: str | None = None, **params: object) -> None:
        self.code = code
        self.english = english or REASONS[code].format_map(params)
        self.params = params

    def text(self, locale: Locale) -> str:
        """In English where the language has no text for it."""
        template = None if locale is Locale.EN else TEXTS[locale].get(self.code)
        return self.english if template is None else template.format_map(self.params)

    def __str__(self) -> str:
        return self.english


def reason_of(error: ValueError) -> object:
    """What a reader of text gave as the reason: a Reason, or a library's words."""
    return error.args[0] if error.args else str(error)
