"""Which route a path belongs to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar
from urllib.parse import unquote

T = TypeVar("T")

PARAMETER: Final = re.compile(r"\{(\w+)(\.\.\.)?\}")


def names_in(path: str) -> tuple[str, ...]:
    """The parameters of a path such as /v1/agents/{id} or /v1/files/{path...}."""
    return tuple(match[1] for match in PARAMETER.finditer(path))


@dataclass(slots=True)
class _Node(Generic[T]):
    literal: "dict[str, _Node[T]]" = field(default_factory=dict)
    parameter: "_Node[T] | None" = None
    names: tuple[str, ...] = ()
    methods: dict[str, T] = field(default_factory=dict)
    rest: "_Node[T] | None" = None


@dataclass(frozen=True, slots=True)
class Match(Generic[T]):
    """What answers each method of the path, and the values of its parameters."""

    methods: dict[str, T]
    values: dict[str, str]


class Paths(Generic[T]):
    """Literal segments win over parameters, segment by segment."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()
        self._fixed: dict[str, Match[T]] = {}

    def add(self, method: str, path: str, answer: T) -> None:
        node = self._root
        for segment in path.split("/")[1:]:
            found = PARAMETER.fullmatch(segment)
            if found is None:
                node = node.literal.setdefault(segment, _Node())
            elif found[2]:
                node.rest = node = node.rest or _Node()
            else:
                node.parameter = node = node.parameter or _Node()
        if method in node.methods:
            raise ValueError(f"two routes for {method} {path}")
        names = names_in(path)
        if node.methods and node.names != names:
            raise ValueError(f"the parameters of {path} have two names")
        node.names = names
        node.methods[method] = answer
        if not names:
            self._fixed[path] = Match(node.methods, {})

    def find(self, path: str) -> Match[T] | None:
        """`path` as it was sent, still percent-encoded."""
        return self._fixed.get(path) or self._find(path.split("/")[1:])

    def _find(self, encoded: Sequence[str]) -> Match[T] | None:
        segments = [unquote(segment) if "%" in segment else segment for segment in encoded]
        values: list[str] = []
        node = _descend(self._root, segments, 0, values)
        if node is None:
            return None
        return Match(node.methods, dict(zip(node.names, values, strict=True)))


def _descend(
    node: _Node[T], segments: Sequence[str], at: int, values: list[str]
) -> _Node[T] | None:
    if at == len(segments):
        return node if node.methods else None
    literal = node.literal.get(segments[at])
    found = None if literal is None else _descend(literal, segments, at + 1, values)
    if found is None and node.parameter is not None and segments[at]:
        values.append(segments[at])
        found = _descend(node.parameter, segments, at + 1, values)
        if found is None:
            values.pop()
    if found is None and node.rest is not None:
        values.append("/".join(segments[at:]))
        found = node.rest
    return found
