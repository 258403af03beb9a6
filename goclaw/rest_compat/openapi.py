"""The OpenAPI document (3.1), generated from the table."""

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import version
from typing import Final

import orjson
from pydantic import BaseModel

from goclaw.rest_compat.binder import Binding
from goclaw.rest_compat.parameters import Parameter, reading
from goclaw.rest_compat.route import Part, Route, Translation
from goclaw.rest_compat.routes import ROUTES
from goclaw.rest_compat.schemas import Schema, Schemas

USER_HEADER: Final[Schema] = {
    "name": "X-GoClaw-User-Id",
    "in": "header",
    "description": "Who the call is for; needed where the credential is bound to nobody and "
    "something is written.",
    "schema": {"type": "string", "maxLength": 255},
}
IDEMPOTENCY_HEADER: Final[Schema] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A repeat with the same key within 24 hours is not carried out again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
PREFER_HEADER: Final[Schema] = {
    "name": "Prefer",
    "in": "header",
    "description": "RFC 7240: do not wait for the answer.",
    "schema": {"type": "string", "enum": ["respond-async"]},
}
MEANINGS: Final = {
    400: "Something in the request is wrong",
    401: "No credential, or one that is unknown, expired or revoked",
    403: "The credential does not allow this",
    404: "No such thing, or not the caller's to see",
    409: "In conflict with how things are",
    413: "The body is too large",
    415: "The body is not of the expected type",
    429: "Too many requests, here or at the model's vendor",
    502: "The model's vendor refused or failed",
    503: "The database or the provider is not available",
    504: "The model's vendor did not answer in time",
}
DESCRIPTION: Final = """A gateway for AI agents.

Send `Authorization: Bearer <gateway token or API key>`. A server without a gateway token asks
for none. `X-GoClaw-User-Id` says who the call is for.
"""


def document(routes: Sequence[Route] = ROUTES, server: str = "/") -> Schema:
    """`server` is the address under which the paths are found."""
    bound = [(route, Binding(route)) for route in routes]
    schemas = Schemas(_views(routes), _shapes(bound))
    paths: dict[str, Schema] = {}
    for route, binding in bound:
        path = paths.setdefault(route.path, {})
        path[route.method.lower()] = _operation(route, binding, schemas)
    tags = dict.fromkeys(route.tag for route in routes)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "GoClaw",
            "version": version("goclaw"),
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": server}],
        "tags": [{"name": tag} for tag in tags],
        "security": [{"bearerAuth": []}, {}],
        "paths": paths,
        "components": {
            "schemas": {**schemas.components, "Error": ERROR, "OpenAIError": OPENAI_ERROR},
            "securitySchemes": {
                "bearerAuth": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Gateway token or API key",
                }
            },
        },
    }


ERROR: Final[Schema] = {
    "type": "object",
    "required": ["error", "code"],
    "properties": {
        "error": {"type": "string", "description": "For people."},
        "code": {"type": "string", "description": "For programs."},
        "field": {"type": "string", "description": "What in the request was wrong."},
    },
}
OPENAI_ERROR: Final[Schema] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}


@cache
def rendered(server: str = "/") -> bytes:
    return orjson.dumps(document(server=server))


def printed() -> str:
    """The document as a file of the repository."""
    return orjson.dumps(document(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def _views(routes: Iterable[Route]) -> set[type[BaseModel]]:
    views = {route.view for route in routes}
    views |= {part.view for route in routes for part in route.also.values()}
    views |= {route.respond_async.view for route in routes if route.respond_async}
    return {view for view in views if view is not None}


def _shapes(bound: Iterable[tuple[Route, Binding]]) -> dict[type[BaseModel], Translation | None]:
    return {
        binding.body.shape: route.translation
        for route, binding in bound
        if binding.body is not None
    }


def _operation(route: Route, binding: Binding, schemas: Schemas) -> Schema:
    operation: Schema = {
        "tags": [route.tag],
        "operationId": _operation_id(route),
        "summary": route.summary,
    }
    if route.description:
        operation["description"] = route.description
    if route.anonymous:
        operation["security"] = []
    parameters = [_parameter(item) for item in binding.parameters] + _headers(route)
    if parameters:
        operation["parameters"] = parameters
    if binding.uploads:
        operation["requestBody"] = _form(binding)
    elif binding.body is not None:
        content = {"application/json": {"schema": schemas.shape(binding.body)}}
        operation["requestBody"] = {"required": True, "content": content}
    operation["responses"] = _responses(route, binding, schemas)
    return operation


def _operation_id(route: Route) -> str:
    """Unique, where one operation answers more than one route too."""
    words = route.path.replace("{", "").replace("}", "").replace(".", "").strip("/").split("/")
    return "_".join([route.method.lower(), *words]).replace("-", "_")


def _parameter(item: Parameter) -> Schema:
    documented: Schema = {"name": item.name, "in": item.place, "schema": item.schema}
    if item.required:
        documented["required"] = True
    if item.description:
        documented["description"] = item.description
    return documented


def _headers(route: Route) -> list[Schema]:
    headers = [] if route.anonymous else [USER_HEADER]
    if route.idempotent:
        headers.append(IDEMPOTENCY_HEADER)
    if route.respond_async is not None:
        headers.append(PREFER_HEADER)
    return headers


def _form(binding: Binding) -> Schema:
    properties: Schema = {
        name: {"type": "string", "contentMediaType": "application/octet-stream"}
        for name in binding.uploads
    }
    properties |= {item.name: item.schema for item in binding.form_fields}
    required = [*binding.uploads, *(item.name for item in binding.form_fields if item.required)]
    schema = {"type": "object", "properties": properties, "required": required}
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


def _responses(route: Route, binding: Binding, schemas: Schemas) -> Schema:
    responses: Schema = {str(route.status): _success(route, binding, schemas)}
    if route.respond_async is not None:
        later = route.respond_async
        responses[str(later.status)] = _success(later, binding, schemas)
    kind = "OpenAIError" if route.openai_errors else "Error"
    error = {"application/json": {"schema": {"$ref": f"#/components/schemas/{kind}"}}}
    for status in _error_statuses(route, binding):
        responses[str(status)] = {"description": MEANINGS[status], "content": error}
    return responses


def _error_statuses(route: Route, binding: Binding) -> list[int]:
    """Those that follow from what a route is made of, and those it names."""
    statuses = set(route.errors)
    if not route.anonymous:
        statuses |= {400, 401, 403, 429, 503}
    if any(item.place == "path" for item in binding.parameters):
        statuses.add(404)
    if binding.uploads or binding.body is not None:
        statuses |= {413, 415}
    return sorted(statuses)


def _success(route: Route, binding: Binding, schemas: Schemas) -> Schema:
    description = "Done" if route.view is None else "What was asked for"
    if route.media_type != "application/json":
        return {"description": description, "content": {route.media_type: {}}}
    content: Schema = {"application/json": {"schema": _body(route, binding, schemas)}}
    if route.event_stream:
        content["text/event-stream"] = {"schema": {"type": "string"}}
    return {"description": description, "content": content}


def _body(route: Route, binding: Binding, schemas: Schemas) -> Schema:
    record = {} if route.view is None else schemas.view(route.view)
    fields: Schema = {name: {"const": value} for name, value in route.constants.items()}
    if route.many == "":
        return {"type": "array", "items": record}
    if route.many is not None:
        fields[route.many] = {"type": "array", "items": record}
    elif route.one is not None:
        fields[route.one] = record
    elif not fields:
        return record
    fields |= {name: _part(part, schemas) for name, part in route.also.items()}
    if binding.page is not None:
        fields |= PAGE_FIELDS
    own = {"type": "object", "required": list(fields), "properties": fields}
    return {"allOf": [record, own]} if record and not (route.many or route.one) else own


PAGE_FIELDS: Final[Schema] = {
    "limit": {"type": "integer"},
    "offset": {"type": "integer"},
    "next_cursor": {"type": ["string", "null"], "description": "The `cursor` of the next page."},
}


def _part(part: Part, schemas: Schemas) -> Schema:
    if part.view is not None:
        return {"type": "array", "items": schemas.view(part.view)}
    returned = part.operation.signature.return_annotation
    return reading(returned)[1]
