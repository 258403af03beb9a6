"""From what a caller sent to a shape; what is wrong with it is told by field, never by value."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic_core import ErrorDetails

from goclaw.core.errors import InvalidInput
from goclaw.core.reasons import Reason, reason_of

M = TypeVar("M", bound=BaseModel)

NO_NAMES: Final[Mapping[str, str]] = MappingProxyType({})
EXACT: Final = 2.0**53
"""Beyond it not every whole number has a float of its own."""
WHOLE: Final = "body"
"""The field of an error that is about no field in particular."""


def parse_shape(shape: type[M], data: object, *, rename: Mapping[str, str] = NO_NAMES) -> M:
    """`rename` maps names of fields to what the caller called them. Raises InvalidInput."""
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        raise _refusal(error, data, rename) from None


def parse_json(shape: type[M], data: bytes, *, rename: Mapping[str, str] = NO_NAMES) -> M:
    """Like `parse_shape`, and without coercion: "1" is no number. Raises InvalidInput."""
    model = _strict(shape)
    try:
        parsed = model.model_validate_json(data, strict=True)
    except ValidationError:
        value = _whole_numbers(_loaded(data))
        try:
            parsed = model.model_validate_json(orjson.dumps(value), strict=True)
        except ValidationError as error:
            raise _refusal(error, value, rename) from None
    if isinstance(parsed, shape):
        return parsed
    values = {name: getattr(parsed, name) for name in type(parsed).model_fields}
    return shape.model_construct(set(parsed.model_fields_set), **values)


@cache
def _strict(shape: type[BaseModel]) -> type[BaseModel]:
    """SQLModel's own constructor validates again, and leniently: its shapes
    are read through a plain model with the same fields. Raises TypeError for a shape with
    validators of its own, which that model would lack.
    """
    if not shape.__pydantic_custom_init__:
        return shape
    own = shape.__pydantic_decorators__
    if own.field_validators or own.model_validators or own.root_validators:
        raise TypeError(f"{shape.__name__} cannot be read strictly")
    fields: dict[str, Any] = {
        name: (info.annotation, info) for name, info in shape.model_fields.items()
    }
    extra = shape.model_config.get("extra", "ignore")
    return create_model(shape.__name__, __config__=ConfigDict(extra=extra), **fields)


def _loaded(data: bytes) -> object:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidInput("invalid_json", reason=error.msg) from None


def _whole_numbers(value: Any) -> Any:
    """1.0 is a whole number in JSON (JSON Schema, 6.3) and none to pydantic."""
    if isinstance(value, dict):
        return {key: _whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return int(value)
    return value


def _refusal(error: ValidationError, data: object, rename: Mapping[str, str]) -> InvalidInput:
    """The first thing that is wrong."""
    first = error.errors(include_url=False, include_input=False)[0]
    field = _field(first["loc"], data, rename, missing=first["type"] == "missing")
    if first["type"] == "missing":
        return InvalidInput("required", field=field)
    if first["type"] == "extra_forbidden":
        return InvalidInput("unknown_field", field=field)
    return InvalidInput("invalid_input", field=field, reason=_reason(first))


def _reason(problem: ErrorDetails) -> object:
    context = problem.get("ctx", {})
    if problem["type"] == "value_error":
        return reason_of(context["error"])
    if "expected" in context:
        context = {"expected": str(context["expected"]).replace(" or ", ", ")}
    text = problem["msg"]
    return Reason(problem["type"], text[:1].lower() + text[1:], **context)


def _field(
    location: tuple[int | str, ...], data: Any, rename: Mapping[str, str], *, missing: bool
) -> str:
    """Only the steps that lead into the data: the others name alternatives of a union."""
    steps: list[str] = []
    for place, step in enumerate(location):
        inside = step in data if isinstance(data, dict) else isinstance(data, list)
        if isinstance(data, list):
            inside = isinstance(step, int) and step < len(data)
        if inside:
            data = data[step]
        elif not (missing and place == len(location) - 1):
            continue
        steps.append(str(step) if steps else rename.get(str(step), str(step)))
    return ".".join(steps) or WHOLE
