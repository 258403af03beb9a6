"""What makes a function an operation: a scope that no door can leave out."""

from collections.abc import AsyncIterator, Awaitable, Callable
from inspect import Signature, signature
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar

from goclaw.core.callers import Scope
from goclaw.core.errors import Forbidden
from goclaw.resolvers.context import Context

P = ParamSpec("P")
R = TypeVar("R")
Y = TypeVar("Y")


class _Guarded:
    """The scope of an operation, and the refusal of callers who lack it. `bound` says whether
    it is open to keys that are bound to agents.
    """

    bound = True

    def __init__(self, scope: Scope | None, function: Callable[..., Any]) -> None:
        self.scope = scope
        self.name = function.__name__
        self.module = function.__module__
        self.signature: Signature = signature(function, eval_str=True)
        self.__doc__ = function.__doc__

    def admit(self, ctx: Context) -> None:
        """Raises Unauthenticated for nobody, Forbidden for a caller without the scope or with
        a key that is bound to agents where this is about none, and InvalidInput where something
        is to be written in nobody's name.
        """
        if self.scope is None:
            return
        if self.scope not in ctx.caller.scopes:
            self._note_refused(ctx)
            raise Forbidden("scope_missing", scope=self.scope)
        if not self.bound and ctx.caller.agent_ids is not None:
            self._note_refused(ctx)
            raise Forbidden("key_bound_to_agents")
        if self.scope is Scope.WRITE:
            ctx.require_user()

    def _note_refused(self, ctx: Context) -> None:
        ctx.services.key_use.note_refused(ctx.caller, self.name, self.scope, ctx.address)


class Operation(_Guarded, Generic[P, R]):
    """An operation that answers once."""

    def __init__(
        self, scope: Scope | None, function: Callable[Concatenate[Context, P], Awaitable[R]]
    ) -> None:
        super().__init__(scope, function)
        self._function = function

    async def __call__(self, ctx: Context, *args: P.args, **kwargs: P.kwargs) -> R:
        self.admit(ctx)
        return await self._function(ctx, *args, **kwargs)


class Stream(_Guarded, Generic[P, Y]):
    """An operation that goes on answering; refused before its first item."""

    def __init__(
        self, scope: Scope | None, function: Callable[Concatenate[Context, P], AsyncIterator[Y]]
    ) -> None:
        super().__init__(scope, function)
        self._function = function

    def __call__(self, ctx: Context, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[Y]:
        self.admit(ctx)
        return self._function(ctx, *args, **kwargs)


OPERATIONS: Final[dict[str, "Operation[..., Any] | Stream[..., Any]"]] = {}
"""Every operation by name; what documents and permission tests go through."""

PUBLIC: Final = None
"""The scope of what anybody may ask, signed in or not."""


def operation(
    scope: Scope | None, *, bound: bool = True
) -> Callable[[Callable[Concatenate[Context, P], Awaitable[R]]], Operation[P, R]]:
    """Not `bound`: for what is about no agent, so that keys bound to agents may not do it."""

    def decorate(function: Callable[Concatenate[Context, P], Awaitable[R]]) -> Operation[P, R]:
        made = _register(Operation(scope, function))
        made.bound = bound
        return made

    return decorate


def stream(
    scope: Scope | None,
) -> Callable[[Callable[Concatenate[Context, P], AsyncIterator[Y]]], Stream[P, Y]]:
    def decorate(function: Callable[Concatenate[Context, P], AsyncIterator[Y]]) -> Stream[P, Y]:
        return _register(Stream(scope, function))

    return decorate


G = TypeVar("G", bound=_Guarded)


def _register(guarded: G) -> G:
    if guarded.name in OPERATIONS:
        raise ValueError(f"two operations are named {guarded.name}")
    OPERATIONS[guarded.name] = guarded  # type: ignore[assignment]
    return guarded
