"""Errors as code and parameters; the doors alone turn them into a status and a text."""

from collections.abc import Mapping
from typing import ClassVar, Final

from goclaw.core import messages_vi, messages_zh
from goclaw.core.locales import Locale
from goclaw.core.messages import MESSAGES
from goclaw.core.reasons import Reason

TEXTS: Final[Mapping[Locale, Mapping[str, str]]] = {
    Locale.EN: MESSAGES,
    Locale.VI: messages_vi.MESSAGES,
    Locale.ZH: messages_zh.MESSAGES,
}


class GatewayError(Exception):
    """A refusal the caller can act on.

    `code` is a key of `MESSAGES`; `field` names the input that was wrong, as the
    caller wrote it; `retry_after_s` says when the same call may succeed.
    """

    status: ClassVar[int] = 500

    def __init__(
        self,
        code: str,
        *,
        field: str | None = None,
        retry_after_s: int | None = None,
        **params: object,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.field = field
        self.retry_after_s = retry_after_s
        self.params = params

    def __str__(self) -> str:
        return self.text(Locale.EN)

    def text(self, locale: Locale, field: str | None = None) -> str:
        """`field` is what the caller calls the field, where that is another name."""
        named = {"field": field or self.field, "retry_after_s": self.retry_after_s, **self.params}
        told = {
            name: value.text(locale) if isinstance(value, Reason) else value
            for name, value in named.items()
        }
        return (TEXTS[locale].get(self.code) or MESSAGES[self.code]).format_map(told)


class InvalidInput(GatewayError):
    status = 400


class Unauthenticated(GatewayError):
    status = 401


class BudgetExceeded(GatewayError):
    status = 402


class Forbidden(GatewayError):
    status = 403


class NotFound(GatewayError):
    """Also for a row that exists and that the caller may not see."""

    status = 404


class MethodNotAllowed(GatewayError):
    status = 405


class Conflict(GatewayError):
    status = 409


class TooLarge(GatewayError):
    status = 413


class UriTooLong(GatewayError):
    status = 414


class UnsupportedMedia(GatewayError):
    status = 415


class RateLimited(GatewayError):
    status = 429


class HeadersTooLarge(GatewayError):
    status = 431


class UpstreamFailed(GatewayError):
    """The model vendor refused, failed or answered rubbish."""

    status = 502


class Unavailable(GatewayError):
    status = 503


class UpstreamTimeout(GatewayError):
    status = 504
