"""What one document may ask for, checked before anything runs."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)

from goclaw.core.errors import InvalidInput
from goclaw.core.paging import MAX_PAGE
from goclaw.schema.windows import is_plain

MAX_DEPTH: Final = 12
MAX_ALIASES: Final = 30
MAX_TOKENS: Final = 2000
MAX_REPEATS: Final = 20_000
"""Of pairs of fields with the same name: validation compares those that may meet."""
MAX_COST: Final = 20_000
LIST_ROWS: Final = 20
"""What a list without `first` is reckoned as."""

Fragments = dict[str, FragmentDefinitionNode]
Variables = Mapping[str, Any]


def fragments_of(document: DocumentNode) -> Fragments:
    return {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }


class Shape:
    """How deep a document goes and how many aliases it has, with fragments spread out.
    Introspection has a limit of its own in the rules of validation.
    """

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = fragments_of(document)
        self._known: dict[str, tuple[int, int]] = {}
        self._names: Counter[str] = Counter()
        self.depth = self.aliases = 0
        for name in self._fragments:
            self._fragment(name)
        for node in document.definitions:
            if isinstance(node, OperationDefinitionNode):
                depth, aliases = self._selection(node.selection_set)
                self.depth = max(self.depth, depth)
                self.aliases += aliases

    def check(self) -> None:
        """Raises InvalidInput."""
        if self.depth > MAX_DEPTH:
            raise InvalidInput("query_too_deep", depth=self.depth, limit=MAX_DEPTH)
        if self.aliases > MAX_ALIASES:
            raise InvalidInput("too_many_aliases", aliases=self.aliases, limit=MAX_ALIASES)
        if sum(count * count for count in self._names.values()) > MAX_REPEATS:
            name, count = self._names.most_common(1)[0]
            raise InvalidInput("too_many_repeats", name=name, count=count)

    def _selection(self, selection: SelectionSetNode | None) -> tuple[int, int]:
        depth = aliases = 0
        for node in selection.selections if selection else ():
            below, more = self._node(node)
            depth = max(depth, below)
            aliases += more
        return depth, aliases

    def _node(self, node: object) -> tuple[int, int]:
        if isinstance(node, FieldNode):
            self._names[(node.alias or node.name).value] += 1
            if node.name.value.startswith("__"):
                return 0, 0
            depth, aliases = self._selection(node.selection_set)
            return depth + 1, aliases + (node.alias is not None)
        if isinstance(node, InlineFragmentNode):
            return self._selection(node.selection_set)
        if isinstance(node, FragmentSpreadNode):
            return self._fragment(node.name.value)
        return 0, 0

    def _fragment(self, name: str) -> tuple[int, int]:
        """One that spreads itself, or is unknown, counts nothing: validation refuses it."""
        if name not in self._known:
            self._known[name] = (0, 0)
            fragment = self._fragments.get(name)
            self._known[name] = self._selection(fragment.selection_set if fragment else None)
        return self._known[name]


class Cost:
    """The rows one valid operation asks for: each list counts as many as its `first` says, and
    each of its rows counts what is asked about it.
    """

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Variables) -> None:
        self._schema = schema
        self._fragments = fragments_of(document)
        self._variables = variables
        self._known: dict[tuple[str, str], int] = {}
        self.by_variable = False

    def of(self, operation: OperationDefinitionNode) -> int:
        root = self._schema.get_root_type(operation.operation)
        return 0 if root is None else self._selection(operation.selection_set, root)

    def _selection(self, selection: SelectionSetNode | None, parent: Any) -> int:
        return sum(self._node(node, parent) for node in selection.selections) if selection else 0

    def _node(self, node: object, parent: Any) -> int:
        if isinstance(node, FieldNode):
            return self._field(node, parent)
        if isinstance(node, InlineFragmentNode):
            condition = node.type_condition
            on = self._schema.get_type(condition.name.value) if condition else parent
            return self._selection(node.selection_set, on)
        if isinstance(node, FragmentSpreadNode):
            return self._fragment(node.name.value)
        return 0

    def _fragment(self, name: str) -> int:
        fragment = self._fragments[name]
        key = (name, fragment.type_condition.name.value)
        if key not in self._known:
            on = self._schema.get_type(key[1])
            self._known[key] = self._selection(fragment.selection_set, on)
        return self._known[key]

    def _field(self, node: FieldNode, parent: Any) -> int:
        if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return 0
        field = parent.fields.get(node.name.value)
        if field is None:
            return 0
        inner = get_named_type(field.type)
        below = self._selection(node.selection_set, inner) if is_composite_type(inner) else 0
        return below if is_plain(field) else self._rows(node, field) * (1 + below)

    def _rows(self, node: FieldNode, field: GraphQLField) -> int:
        if "first" in field.args:
            return self._first(node, field)
        inner = get_nullable_type(field.type)
        return LIST_ROWS if is_list_type(inner) else 1

    def _first(self, node: FieldNode, field: GraphQLField) -> int:
        first: object = field.args["first"].default_value
        for argument in node.arguments or ():
            if argument.name.value != "first":
                continue
            if isinstance(argument.value, IntValueNode):
                first = int(argument.value.value)
            elif isinstance(argument.value, VariableNode):
                self.by_variable = True
                first = self._variables.get(argument.value.name.value, first)
        return min(max(first, 1), MAX_PAGE) if isinstance(first, int) else MAX_PAGE


def check_cost(cost: int) -> None:
    """Raises InvalidInput."""
    if cost > MAX_COST:
        raise InvalidInput("query_too_costly", cost=cost, limit=MAX_COST)
