"""Types as windows on rows, inputs as images of shapes."""

import types
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin
from uuid import UUID

import strawberry
from pydantic import BaseModel, SecretStr
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.utils.str_converters import to_camel_case

from goclaw.models.parsing import parse_shape
from goclaw.schema.scalars import JSON

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

WINDOW_SCALARS: Final = (str, int, float, bool, UUID, datetime)


def described(description: str, **more: Any) -> Any:
    """A field that is the attribute of its name in the row."""
    return strawberry.field(description=description, **more)


def field(graphql_type: object, description: str, **more: Any) -> Callable[[Any], Any]:
    """A field with a resolver, shown as `graphql_type` whatever row it returns."""

    def decorate(resolver: Any) -> Any:
        return strawberry.field(
            resolver, graphql_type=graphql_type, description=description, **more
        )

    return decorate


def mutation(graphql_type: object, description: str) -> Callable[[Any], Any]:
    def decorate(resolver: Any) -> Any:
        return strawberry.mutation(resolver, graphql_type=graphql_type, description=description)

    return decorate


def subscription(graphql_type: object, description: str) -> Callable[[Any], Any]:
    def decorate(resolver: Any) -> Any:
        return strawberry.subscription(resolver, graphql_type=graphql_type, description=description)

    return decorate


def argument(description: str, **more: Any) -> Any:
    return strawberry.argument(description, **more)


def input_of(
    shape: type[BaseModel],
    words: Mapping[str, str],
    description: str,
    *,
    leave_out: frozenset[str] = frozenset(),
    names: Mapping[str, str] | None = None,
) -> Callable[[type[T]], type[T]]:
    """Adds the fields of `shape` to those the class declares; what was not sent stays UNSET.

    `words` describe the fields by their name in the shape, `names` are those that have
    another name in GraphQL.
    """

    def decorate(cls: type[T]) -> type[T]:
        declared = dict(cls.__annotations__)
        for name, info in shape.model_fields.items():
            if name in leave_out or name in declared:
                continue
            kind = as_graphql(info.annotation)
            required = info.is_required()
            cls.__annotations__[name] = kind if required else kind | None
            more = {} if required else {"default": strawberry.UNSET}
            setattr(cls, name, described(words[name], name=(names or {}).get(name), **more))
        made: type[T] = strawberry.input(cls, description=description)
        return made

    return decorate


def as_graphql(annotation: Any) -> Any:
    """The type of an input field for a field of a shape, without None."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return as_graphql(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        (kind,) = (arg for arg in get_args(annotation) if arg is not type(None))
        return as_graphql(kind)
    if origin is list:
        return list[as_graphql(get_args(annotation)[0])]  # type: ignore[misc]
    if origin is dict:
        return JSON
    if annotation is SecretStr:
        return str
    if annotation in WINDOW_SCALARS or issubclass(annotation, StrEnum):
        return annotation
    raise TypeError(f"no GraphQL type for {annotation}")


def parse(shape: type[M], sent: object) -> M:
    """What was sent, as the shape; what was not sent is not set there either.

    Raises InvalidInput that names the field as the client wrote it.
    """
    definition: StrawberryObjectDefinition = sent.__strawberry_definition__  # type: ignore[attr-defined]
    data: dict[str, object] = {}
    names: dict[str, str] = {}
    for item in definition.fields:
        value = getattr(sent, item.python_name)
        if item.python_name not in shape.model_fields or value is strawberry.UNSET:
            continue
        data[item.python_name] = value
        names[item.python_name] = item.graphql_name or to_camel_case(item.python_name)
    for name in shape.model_fields.keys() - names.keys():
        names[name] = to_camel_case(name)
    return parse_shape(shape, data, rename=names)
