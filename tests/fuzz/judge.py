"""What an answer to a role may never be, whatever was asked."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    get_named_type,
    parse,
)

from goclaw.resolvers.operation import OPERATIONS
from goclaw.rest_compat.permissions import routes
from goclaw.schema.permissions import fields
from goclaw.schema.root import SCHEMA
from tests.fuzz.roles import Role

FAILED_UPSTREAM: Final = (502, 503, 504)
"""Documented: a provider or the database that is away."""
ROOTS: Final = {"Query": "query ", "Mutation": "mutation ", "Subscription": "subscription "}


def by_place(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    places: dict[str, set[str]] = {}
    for operation, place in pairs:
        places.setdefault(place, set()).add(operation)
    return places


ROUTES: Final = by_place(routes())
FIELDS: Final = by_place(fields())
TOP: Final = {place.split()[1]: names for place, names in FIELDS.items() if " " in place}
"""Fields of the three roots, which share no name."""


class Finding(AssertionError):
    """A bug of the server."""


def may(role: Role, operation: str) -> bool:
    if operation == "get_me":
        return role.token is not None
    asked = OPERATIONS[operation]
    if asked.scope is None:
        return True
    return asked.scope in role.scopes and (asked.bound or not role.bound)


def check_operations(role: Role, operations: Iterable[str], place: str) -> None:
    """For an answer that was given. A route may show what a part of it allows."""
    refused = sorted(name for name in operations if not may(role, name))
    if refused:
        raise Finding(f"{role.name} got an answer of {place}, beyond scope: {refused}")


def check_status(status: int, text: str) -> None:
    if status >= 500 and status not in FAILED_UPSTREAM:
        raise Finding(f"status {status}: {text[:500]}")


def check_words(role: Role, text: str) -> None:
    for secret in role.secrets:
        if secret in text:
            raise Finding(f"{role.name} was shown another's row: {text[:500]}")


def check_route(role: Role, method: str, path: str, status: int, text: str) -> None:
    check_status(status, text)
    check_words(role, text)
    place = f"{method.upper()} {path}"
    if 200 <= status < 300 and place in ROUTES:
        check_operations(role, ROUTES[place], place)


def check_payload(role: Role, payload: Any) -> None:
    """One answer of `/graphql`, at whichever way it came."""
    if not isinstance(payload, Mapping):
        raise Finding(f"no answer of GraphQL: {payload!r}")
    check_errors(payload.get("errors") or ())
    data = payload.get("data") or {}
    for field, value in data.items():
        if value is not None and field in TOP:
            check_operations(role, TOP[field], field)
    check_words(role, json.dumps(payload, ensure_ascii=False))


def check_errors(errors: Iterable[Any]) -> None:
    for error in errors:
        if error["extensions"]["code"] == "internal":
            raise Finding(f"an internal error: {error}")


def check_document(role: Role, query: str, data: Any) -> None:
    """Each field that was given, at any depth, against the operation behind it."""
    if not isinstance(data, Mapping):
        return
    try:
        document = parse(query)
    except GraphQLError as error:
        raise Finding(f"data for a document that cannot be read: {query}") from error
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    for parent, node in _roots(document):
        for place, value in _given(node.selection_set, parent, data, fragments):
            if value is not None and place in FIELDS:
                check_operations(role, FIELDS[place], place)


def _roots(document: DocumentNode) -> Iterator[tuple[Any, OperationDefinitionNode]]:
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            yield SCHEMA._schema.get_root_type(node.operation), node


def _given(
    selection: Any, parent: Any, data: Any, fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[tuple[str, Any]]:
    if isinstance(data, list):
        for item in data:
            yield from _given(selection, parent, item, fragments)
        return
    if selection is None or not isinstance(data, Mapping):
        return
    for node in selection.selections:
        if isinstance(node, FieldNode):
            yield from _field(node, parent, data, fragments)
        else:
            assert isinstance(node, InlineFragmentNode | FragmentSpreadNode)
            inner = fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            condition = inner.type_condition
            on = SCHEMA._schema.get_type(condition.name.value) if condition else parent
            yield from _given(inner.selection_set, on, data, fragments)


def _field(
    node: FieldNode, parent: Any, data: Mapping[str, Any], fragments: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    key = (node.alias or node.name).value
    field = getattr(parent, "fields", {}).get(node.name.value)
    if key not in data or field is None:
        return
    yield ROOTS.get(parent.name, f"{parent.name}.") + node.name.value, data[key]
    inner = get_named_type(field.type)
    yield from _given(node.selection_set, inner, data[key], fragments)
