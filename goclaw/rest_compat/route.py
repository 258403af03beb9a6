"""What one line of the table says about an operation's place at this door."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from goclaw.resolvers.operation import Operation, Stream
from goclaw.resolvers.services import Services

if TYPE_CHECKING:
    from goclaw.rest_compat.exchange import Exchange

AnyOperation = Operation[..., Any] | Stream[..., Any]
Encoder = Callable[["Exchange", "Route", Any], Awaitable[None]]
Handler = Callable[[Services], Callable[["Exchange", Mapping[str, str]], Awaitable[None]]]


@dataclass(frozen=True, slots=True)
class Part:
    """Another operation whose answer is a field of the same body.

    It gets the arguments of the route's operation that it has parameters for; `arguments`
    maps its parameters to differently named ones.
    """

    operation: Operation[..., Any]
    view: type[BaseModel] | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Translation:
    """How a body differs here from the operation's shape.

    `names` maps names here to names of the shape, several of which may mean the same field;
    `ignored` are fields of a record read back that nobody can set; `references` are names of
    rows here that are ids inside: the field of the shape, and the operation that finds the row;
    `not_sent` are values that mean that the field was not sent; `schema` replaces the
    documentation of single fields, `rules` adds to that of the whole.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    references: Mapping[str, tuple[str, Operation[..., Any]]] = field(default_factory=dict)
    not_sent: Mapping[str, frozenset[str]] = field(default_factory=dict)
    schema: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """`view` is what leaves: as the body itself, in the field `one`, or as rows in the list
    `many` (an empty name: the list is the body). `also` and `constants` are further fields.

    `names` maps parameters of the operation to their names here, `headers` to the headers they
    come from, `fixed` to values the caller cannot choose; `by_slug` are path parameters that
    take a slug where the operation takes an id. `default_limit` is the length of a page nobody
    gave a limit for; None means all rows. `errors` are the statuses that only this operation's
    documentation can tell. `event_stream`: the answer may come
    as server-sent events. `handler` answers instead of the binder, `encoder` instead of JSON;
    `respond_async` is the route taken for `Prefer: respond-async`.
    """

    method: str
    path: str
    operation: AnyOperation
    view: type[BaseModel] | None = None
    status: int = 200
    tag: str = ""
    summary: str = ""
    description: str = ""
    one: str | None = None
    many: str | None = None
    also: Mapping[str, Part] = field(default_factory=dict)
    constants: Mapping[str, object] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fixed: Mapping[str, object] = field(default_factory=dict)
    by_slug: Mapping[str, Operation[..., Any]] = field(default_factory=dict)
    default_limit: int | None = 50
    translation: Translation | None = None
    body_user: str | None = None
    idempotent: bool = False
    anonymous: bool = False
    openai_errors: bool = False
    errors: tuple[int, ...] = ()
    media_type: str = "application/json"
    event_stream: bool = False
    handler: Handler | None = None
    encoder: Encoder | None = None
    respond_async: "Route | None" = None
