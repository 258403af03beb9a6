"""PostgreSQL's text cannot hold NUL, so no argument may, whatever becomes of it."""

from typing import Any, Final

from graphql import ArgumentNode, ObjectFieldNode, StringValueNode, VariableNode, Visitor, visit

from goclaw.core.errors import InvalidInput
from goclaw.core.reasons import Reason
from goclaw.schema.documents import Document

NUL: Final = "\x00"


def refuse_nul(document: Document, variables: dict[str, Any]) -> None:
    """Raises InvalidInput that names the argument, or the field of an input."""
    if document.has_nul or holds_nul(variables):
        visit(document.node, Search(variables))


def holds_nul(value: object) -> bool:
    """In a text at any depth; JSON of a client may be deeper than Python calls may."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str(text) if NUL in text:
                return True
            case dict() as members:
                waiting += members
                waiting += members.values()
            case list() as items:
                waiting += items
    return False


class Search(Visitor):
    """Raises InvalidInput where NUL is; a variable is named by the argument it is used for."""

    def __init__(self, variables: dict[str, Any]) -> None:
        super().__init__()
        self._variables = variables
        self._names: list[str] = []

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        self._names.append(node.name.value)

    def leave_argument(self, *_: Any) -> None:
        self._names.pop()

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> None:
        self._names.append(node.name.value)

    def leave_object_field(self, *_: Any) -> None:
        self._names.pop()

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        if NUL in node.value:
            self._refuse()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        value = self._variables.get(node.name.value)
        if not self._names or not holds_nul(value):
            return
        members = value.items() if isinstance(value, dict) else ()
        self._refuse(*[name for name, member in members if holds_nul(member)][:1])

    def _refuse(self, *within: str) -> None:
        names = [*self._names, *within]
        if names[:1] == ["input"] and len(names) > 1:
            names = names[1:]
        field = ".".join(names) or "query"
        raise InvalidInput("invalid_input", field=field, reason=Reason("nul"))
