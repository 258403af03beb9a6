"""Errors as GraphQL shows them: a code, the field, and nothing of what happened inside."""

from typing import Any, Final, Protocol

import structlog
from graphql import GraphQLError
from strawberry.utils.str_converters import to_camel_case

from goclaw.core.errors import GatewayError
from goclaw.core.locales import Locale

log = structlog.get_logger()

SYNTAX: Final = "graphql_syntax"
INVALID: Final = "graphql_invalid"


class Call(Protocol):
    """Which call an error is told to, and in which language."""

    @property
    def request_id(self) -> str: ...

    @property
    def locale(self) -> Locale: ...


def shown(error: Exception, call: Call, *, code: str = INVALID) -> dict[str, Any]:
    """One entry of `errors`. `code` is for what graphql-core itself refuses, in English."""
    if isinstance(error, GatewayError):
        return gateway_error(error, call.locale)
    if not isinstance(error, GraphQLError):
        return internal(error, call)
    cause = error.original_error
    if isinstance(cause, GatewayError):
        entry = gateway_error(cause, call.locale)
    elif cause is None or isinstance(cause, GraphQLError):
        entry = {"message": error.message, "extensions": {"code": code}}
    else:
        entry = internal(cause, call)
    if error.locations:
        entry["locations"] = [place.formatted for place in error.locations]
    if error.path is not None:
        entry["path"] = error.path
    return entry


def gateway_error(error: GatewayError, locale: Locale) -> dict[str, Any]:
    extensions: dict[str, Any] = {"code": error.code}
    field = error.field
    if field is not None:
        field = extensions["field"] = as_written(field)
    if error.retry_after_s is not None:
        extensions["retryAfterS"] = error.retry_after_s
    return {"message": error.text(locale, field), "extensions": extensions}


def as_written(field: str) -> str:
    """Operations name fields as Python does; headers have names of their own."""
    return ".".join(to_camel_case(step) if "_" in step else step for step in field.split("."))


def internal(error: Exception, call: Call) -> dict[str, Any]:
    log.error("graphql.failed", request_id=call.request_id, exc_info=error)
    entry = gateway_error(GatewayError("internal", request_id=call.request_id), call.locale)
    entry["extensions"]["requestId"] = call.request_id
    return entry
