"""The fast path: a selection of plain fields becomes one generated function.

What it gives is what graphql-core gives for the same rows. Wherever a value is not of the
type the schema says, the function gives up and graphql-core runs, so that errors are its own.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Any, Final
from uuid import UUID

from graphql import (
    GraphQLEnumType,
    GraphQLObjectType,
    GraphQLOutputType,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution import Executor

from goclaw.schema.scalars import write_decimal, write_instant
from goclaw.schema.windows import attribute_of

Row = Any
Grouped = Any


class Surprise(Exception):
    """A value that is not what the schema says."""


def surprise(value: object) -> Any:
    raise Surprise(type(value).__name__)


def listed(value: object) -> list[Any]:
    return value if type(value) is list else surprise(value)


def is_record(row: Row) -> bool:
    """A row of the database, whose columns are reached faster as items."""
    return hasattr(row, "keys") and not isinstance(row, dict)


BASE: Final = {
    "no": surprise,
    "is_record": is_record,
    "listed": listed,
    "isfinite": isfinite,
    "UUID": UUID,
    "Decimal": Decimal,
    "datetime": datetime,
    "write_decimal": write_decimal,
    "write_instant": write_instant,
}

CHECKED: Final = {
    "String": "v if type(v := {}) is str else no(v)",
    "Int": "v if type(v := {}) is int and -2147483648 <= v <= 2147483647 else no(v)",
    "Float": "v if type(v := {}) is float and isfinite(v) else no(v)",
    "Boolean": "v if (v := {}) is True or v is False else no(v)",
    "UUID": "str(v) if isinstance(v := {}, UUID) else no(v)",
    "DateTime": "write_instant(v) if isinstance(v := {}, datetime) else no(v)",
    "Decimal": "write_decimal(v) if isinstance(v := {}, Decimal) else no(v)",
    "JSON": "v if (v := {}) is not None else no(v)",
}
"""Expressions for the value of an expression, by the name of a scalar."""


class Plan:
    """`of_row` gives the plain fields of a row; `rest` are the others, `names` all in order."""

    __slots__ = ("names", "of_list", "of_row", "rest")

    def __init__(self, of_row: Callable[[Row], Any], of_list: Any, rest: Grouped) -> None:
        self.of_row = of_row
        self.of_list = of_list
        self.rest: Grouped = rest
        self.names: list[str] = []


class Writer:
    """Writes the functions of one plan."""

    def __init__(self, executor: Executor[Any]) -> None:
        self._executor = executor
        self._lines: list[str] = []
        self._names: dict[str, Any] = dict(BASE)
        self._count = 0

    def plan(self, kind: GraphQLObjectType, fields: Grouped) -> Plan | None:
        """None when no field is plain."""
        plain: dict[str, tuple[str, str]] = {}
        rest = {}
        for name, details in fields.items():
            written = self._field(kind, details)
            if written is None:
                rest[name] = details
            else:
                plain[name] = written
        if not plain:
            return None
        number = self._functions(plain)
        exec("\n".join(self._lines), self._names)  # noqa: S102 - only names of our own schema
        plan = Plan(self._names[f"row{number}"], self._names[f"list{number}"], rest)
        plan.names = list(fields)
        return plan

    def _functions(self, plain: dict[str, tuple[str, str]]) -> int:
        """Functions for a row with attributes, a row with items, any row, and a list of rows."""
        self._count += 1
        n = self._count
        for prefix, place in (("attributes", 0), ("items", 1)):
            body = ", ".join(f"{name!r}: {written[place]}" for name, written in plain.items())
            self._lines.append(f"def {prefix}{n}(o): return {{{body}}}")
        self._lines.append(
            f"def row{n}(o): return items{n}(o) if is_record(o) else attributes{n}(o)\n"
            f"def list{n}(rows):\n"
            f"    if not listed(rows): return []\n"
            f"    of = items{n} if is_record(rows[0]) else attributes{n}\n"
            f"    return [of(o) for o in rows]"
        )
        return n

    def _field(self, kind: GraphQLObjectType, details: Any) -> tuple[str, str] | None:
        """The expressions of a field for both kinds of rows; None for one with a resolver."""
        name = details[0].node.name.value
        if name == "__typename":
            return (repr(kind.name),) * 2
        field = kind.fields.get(name)
        attribute = None if field is None else attribute_of(field)
        if field is None or attribute is None:
            return None
        template = self._value(field.type, details)
        if template is None:
            return None
        return template.format(f"o.{attribute}"), template.format(f"o[{attribute!r}]")

    def _value(self, kind: GraphQLOutputType, details: Any) -> str | None:
        """An expression with {} for what is to be written."""
        if not is_non_null_type(kind):
            written = self._present(kind, details)
            return written and f"None if (n := {{}}) is None else {written.format('n')}"
        return self._present(kind.of_type, details)

    def _present(self, kind: Any, details: Any) -> str | None:
        if is_list_type(kind):
            return self._list(kind.of_type, details)
        if isinstance(kind, GraphQLEnumType):
            return f"{self._enum(kind)}[{{}}]"
        if is_leaf_type(kind):
            return CHECKED.get(kind.name)
        number = self._object(kind, details)
        return None if number is None else f"row{number}({{}})"

    def _list(self, kind: Any, details: Any) -> str | None:
        if not is_non_null_type(kind):
            return None
        if is_leaf_type(kind.of_type):
            item = self._present(kind.of_type, details)
            return item and f"[{item.format('x')} for x in listed({{}})]"
        number = self._object(kind.of_type, details)
        return None if number is None else f"list{number}({{}})"

    def _object(self, kind: Any, details: Any) -> int | None:
        """None unless every field that is selected is plain."""
        if not isinstance(kind, GraphQLObjectType) or kind.is_type_of:
            return None
        fields = self._executor.collect_subfields(kind, details).grouped_field_set
        plain: dict[str, tuple[str, str]] = {}
        for name, inner in fields.items():
            written = self._field(kind, inner)
            if written is None:
                return None
            plain[name] = written
        return self._functions(plain)

    def _enum(self, kind: GraphQLEnumType) -> str:
        name = f"enum_{kind.name}"
        self._names[name] = {value.value: key for key, value in kind.values.items()}
        return name
