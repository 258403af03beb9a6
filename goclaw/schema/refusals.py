"""Errors as GraphQL shows them: a code, the field, and nothing of what happened inside."""

from typing import Any, Final

import structlog
from graphql import GraphQLError
from strawberry.utils.str_converters import to_camel_case

from goclaw.core.errors import GatewayError
from goclaw.core.messages import MESSAGES

log = structlog.get_logger()

SYNTAX: Final = "graphql_syntax"
INVALID: Final = "graphql_invalid"


def shown(error: Exception, request_id: str, *, code: str = INVALID) -> dict[str, Any]:
    """One entry of `errors`. `code` is for what graphql-core itself refuses."""
    if isinstance(error, GatewayError):
        return gateway_error(error)
    if not isinstance(error, GraphQLError):
        return internal(error, request_id)
    cause = error.original_error
    if isinstance(cause, GatewayError):
        entry = gateway_error(cause)
    elif cause is None or isinstance(cause, GraphQLError):
        entry = {"message": error.message, "extensions": {"code": code}}
    else:
        entry = internal(cause, request_id)
    if error.locations:
        entry["locations"] = [place.formatted for place in error.locations]
    if error.path is not None:
        entry["path"] = error.path
    return entry


def gateway_error(error: GatewayError) -> dict[str, Any]:
    extensions: dict[str, Any] = {"code": error.code}
    field = error.field
    if field is not None:
        field = extensions["field"] = as_written(field)
    if error.retry_after_s is not None:
        extensions["retryAfterS"] = error.retry_after_s
    named = {"field": field, "retry_after_s": error.retry_after_s, **error.params}
    return {"message": MESSAGES[error.code].format_map(named), "extensions": extensions}


def as_written(field: str) -> str:
    """Operations name fields as Python does; headers have names of their own."""
    return ".".join(to_camel_case(step) if "_" in step else step for step in field.split("."))


def internal(error: Exception, request_id: str) -> dict[str, Any]:
    log.error("graphql.failed", request_id=request_id, exc_info=error)
    message = MESSAGES["internal"].format(request_id=request_id)
    return {"message": message, "extensions": {"code": "internal", "requestId": request_id}}
