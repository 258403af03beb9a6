"""Bodies: from bytes to the arguments of an operation."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from pydantic import BaseModel

from goclaw.core.errors import InvalidInput, NotFound
from goclaw.core.reasons import Reason, reason_of
from goclaw.models.parsing import parse_json
from goclaw.models.shapes import storable
from goclaw.resolvers.context import Context
from goclaw.rest_compat.route import Translation

MAX_DEPTH: Final = 100
PLAIN: Final = Translation()


def json_object(body: bytes) -> dict[str, Any]:
    """Raises InvalidInput for anything but one object of bearable depth."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidInput("invalid_json", reason=error.msg) from None
    if not isinstance(value, dict):
        raise InvalidInput("invalid_input", field="body", reason=Reason("json_object"))
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH:
        _refuse_deep(value)
    return value


def _refuse_deep(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise InvalidInput("invalid_json", reason=Reason("nested", limit=MAX_DEPTH))


def body_user(value: Mapping[str, Any], field: str) -> str | None:
    """Who the body says is speaking; what is no text is refused by the shape later."""
    user = value.get(field)
    return user if isinstance(user, str) and user else None


class ShapeBody:
    """Reads one shape, as its translation has it written."""

    def __init__(self, shape: type[BaseModel], translation: Translation | None) -> None:
        self.shape = shape
        self.translation = translation or PLAIN

    async def read(
        self, ctx: Context, sent: Mapping[str, Any], called: dict[str, str]
    ) -> BaseModel:
        """`called` is filled with the caller's names of the fields. Raises InvalidInput, and
        NotFound for a row that the body names.
        """
        values, refs = self._renamed(sent, called)
        shape = parse_json(self.shape, orjson.dumps(values), rename=called)
        for name, text in refs.items():
            target, find = self.translation.references[name]
            called[target] = name
            try:
                row = await find(ctx, text)
            except NotFound as error:
                error.field = target
                raise
            setattr(shape, target, row.id)
        return shape

    def _renamed(
        self, sent: Mapping[str, Any], called: dict[str, str]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        rules = self.translation
        values: dict[str, Any] = {}
        refs: dict[str, str] = {}
        for name, value in sent.items():
            if name in rules.ignored or _counts_as_absent(rules, name, value):
                continue
            if name in rules.references:
                refs[name] = _reference(name, value)
                continue
            target = rules.names.get(name, name)
            if target in values and values[target] != value:
                raise InvalidInput(
                    "invalid_input", field=name, reason=Reason("differs", other=called[target])
                )
            values[target] = value
            called[target] = name
        for name, target in rules.names.items():
            called.setdefault(target, name)
        return values, refs


def _counts_as_absent(rules: Translation, name: str, value: object) -> bool:
    return isinstance(value, str) and value in rules.not_sent.get(name, ())


def _reference(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInput("invalid_input", field=name, reason=Reason("string"))
    try:
        return storable(value)
    except ValueError as error:
        raise InvalidInput("invalid_input", field=name, reason=reason_of(error)) from None
