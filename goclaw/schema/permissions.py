"""Which field asks for which operation."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from strawberry.types.base import StrawberryObjectDefinition

from goclaw.resolvers.reach import operations_of
from goclaw.schema.root import SCHEMA

ROOTS: Final = {"Query": "query ", "Mutation": "mutation ", "Subscription": "subscription "}


def fields() -> Iterator[tuple[str, str]]:
    """Operation and field: `query agents`, `Agent.shares`."""
    for name, kind in SCHEMA.schema_converter.type_map.items():
        if not isinstance(kind.definition, StrawberryObjectDefinition):
            continue
        for field in kind.definition.fields:
            if field.base_resolver is None:
                continue
            shown = SCHEMA.config.name_converter.get_graphql_name(field)
            resolver: Callable[..., Any] = field.base_resolver.wrapped_func  # type: ignore[assignment]
            for operation in operations_of(resolver):
                yield operation, ROOTS.get(name, f"{name}.") + shown
