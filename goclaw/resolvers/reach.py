"""Which operations a door's function calls, for the table of permissions."""

from collections.abc import Callable, Iterator
from functools import partial
from types import CodeType, FunctionType
from typing import Any

from goclaw.resolvers.operation import OPERATIONS


def operations_of(function: Callable[..., Any]) -> list[str]:
    """Those it names, and those that functions of the same package name that it calls."""
    package = ".".join(function.__module__.split(".")[:2])
    found: set[str] = set()
    _follow(function, package, set(), found)
    return sorted(found)


def _follow(value: Any, package: str, seen: set[int], found: set[str]) -> None:
    if id(value) in seen:
        return
    seen.add(id(value))
    name = getattr(value, "name", None)
    if isinstance(name, str) and OPERATIONS.get(name) is value:
        found.add(name)
    elif isinstance(value, FunctionType) and value.__module__.startswith(package):
        for code in _codes(value.__code__):
            for global_name in code.co_names:
                _follow(value.__globals__.get(global_name), package, seen, found)
    elif isinstance(value, partial):
        _follow(value.func, package, seen, found)
    elif isinstance(value, tuple | list):
        for item in value:
            _follow(item, package, seen, found)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """With those of lambdas and functions inside."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
