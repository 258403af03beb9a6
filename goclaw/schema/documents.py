"""Documents that were parsed and checked before are not parsed and checked again."""

from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    StringValueNode,
    VariableNode,
    Visitor,
    parse,
    validate,
    visit,
)

from goclaw.core.errors import InvalidInput
from goclaw.schema.limits import MAX_TOKENS, Cost, Shape, check_cost
from goclaw.schema.root import SCHEMA

KEPT_CHARS: Final = 50_000
"""Of all texts together; parsed, a character takes about 200 bytes."""
LONGEST_KEPT_CHARS: Final = 8000
MAX_ERRORS: Final = 20
CORE_SCHEMA: Final[GraphQLSchema] = SCHEMA._schema  # noqa: SLF001 - the one graphql-core runs


class Document:
    """One document: `errors` say why it cannot run. `plans` holds the functions made for its
    selections, `conditions` the variables that `@skip` and `@include` look at.
    """

    def __init__(self, node: DocumentNode, errors: list[GraphQLError]) -> None:
        self.node = node
        self.errors = errors
        self.plans: dict[tuple[object, ...], Any] = {}
        self.operations = [d for d in node.definitions if isinstance(d, OperationDefinitionNode)]
        found = Found()
        if not errors:
            visit(node, found)
        self.conditions = tuple(sorted(found.conditions))
        self.introspects = found.introspects
        self.has_nul = found.has_nul
        self._costs: dict[int, int] = {}

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """None when it cannot be told which one is meant: the executor says why."""
        named = [d for d in self.operations if name is None or (d.name and d.name.value == name)]
        return named[0] if len(named) == 1 else None

    def kind(self, name: str | None) -> OperationType | None:
        operation = self.operation(name)
        return operation.operation if operation else None

    def check_cost(self, operation: OperationDefinitionNode, variables: dict[str, Any]) -> None:
        """Raises InvalidInput."""
        known = self._costs.get(id(operation))
        if known is None:
            reckoning = Cost(CORE_SCHEMA, self.node, variables)
            known = reckoning.of(operation)
            if not reckoning.by_variable:
                self._costs[id(operation)] = known
        check_cost(known)


class Found(Visitor):
    """Gathers what has to be known of a document each time it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.conditions: set[str] = set()
        self.introspects = False
        self.has_nul = False

    def enter_directive(self, node: Any, *_: Any) -> None:
        for argument in node.arguments or ():
            if isinstance(argument.value, VariableNode):
                self.conditions.add(argument.value.name.value)

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        if node.name.value in ("__schema", "__type"):
            self.introspects = True

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        if "\x00" in node.value:
            self.has_nul = True


def prepare(query: str) -> Document:
    """Raises GraphQLError for text that is no GraphQL, InvalidInput beyond a limit."""
    document = KEPT.get(query)
    if document is None:
        document = _prepare(query)
        if not document.errors:
            KEPT.put(query, document)
    return document


def _prepare(query: str) -> Document:
    try:
        node = parse(query, max_lexical_tokens=MAX_TOKENS, max_comments=MAX_TOKENS)
    except GraphQLError as error:
        if "Parsing aborted" in error.message:
            raise InvalidInput("too_many_tokens", limit=MAX_TOKENS) from error
        raise
    unchain(node)
    Shape(node).check()
    return Document(node, validate(CORE_SCHEMA, node, max_errors=MAX_ERRORS))


def unchain(node: DocumentNode) -> None:
    """Its tokens know their neighbours on both sides: rings that would hold a document which is
    kept no more until the garbage collector looks at what is old, which it seldom does. Nobody
    asks tokens for their neighbours once a text is parsed.
    """
    token = node.loc.start_token if node.loc else None
    while token is not None:
        following = token.next
        token.prev = token.next = None
        token = following


class Kept:
    """Documents by their text; those not used for longest go first."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}
        self._chars = 0

    def get(self, query: str) -> Document | None:
        document = self._documents.pop(query, None)
        if document is not None:
            self._documents[query] = document
        return document

    def put(self, query: str, document: Document) -> None:
        if len(query) > LONGEST_KEPT_CHARS:
            return
        self._documents[query] = document
        self._chars += len(query)
        while self._chars > KEPT_CHARS:
            oldest = next(iter(self._documents))
            del self._documents[oldest]
            self._chars -= len(oldest)


KEPT: Final = Kept()
