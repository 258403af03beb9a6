"""Operations and routes of their own for tests of the binder: what later routes need, too."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from pydantic import BaseModel

from goclaw.core.callers import Scope
from goclaw.core.errors import Conflict, RateLimited
from goclaw.core.files import Download, Upload
from goclaw.core.paging import Page, PageRequest
from goclaw.core.settings import Settings
from goclaw.models.shapes import Patch, Slug, View
from goclaw.resolvers.context import Context
from goclaw.resolvers.operation import Operation, Stream
from goclaw.resolvers.refs import Ref
from goclaw.resolvers.services import Services
from goclaw.rest_compat.app import rest_app
from goclaw.rest_compat.encoders import send_events, send_file
from goclaw.rest_compat.route import Part, Route, Translation
from goclaw.security.edge import Edge
from goclaw.security.rate_storage import MemoryStorage
from goclaw.security.rates import Failures, Rates

ID = UUID("0199c0de-0000-7000-8000-000000000001")


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class ThingView(View):
    id: UUID
    name: str
    colour: Colour | None


class ThingPatch(Patch):
    name: Slug = None  # type: ignore[assignment]
    weight: int = 0
    settings: dict[str, Any] | None = None
    owner_id: UUID | None = None


class Thing(BaseModel):
    id: UUID = ID
    name: str = "first"
    colour: Colour | None = Colour.RED
    secret: str = "hidden"


async def list_things(
    ctx: Context,
    page: PageRequest,
    colour: Colour | None = None,
    since: datetime | None = None,
    deep: bool = False,
) -> Page[Thing]:
    said = f"{page.limit},{page.offset},{colour},{since},{deep}"
    return Page([Thing(name=said)], has_next=page.before != ID)


async def count_things(ctx: Context, colour: Colour | None = None) -> int:
    return 3 if colour is None else 1


async def get_thing(ctx: Context, id: Ref) -> Thing:
    return Thing(name=str(id))


async def update_thing(ctx: Context, id: UUID, changes: ThingPatch) -> Thing:
    if changes.weight == 13:
        raise Conflict("agent_key_taken", field="name", key="x")
    return Thing(id=id, name=str(sorted(changes.changes().items())))


async def weigh_thing(ctx: Context, id: UUID, model: str, times: int = 1) -> dict[str, Any]:
    return {"model": model, "times": times}


async def store_file(ctx: Context, file: Upload, folder: str, agent_id: UUID | None = None) -> Any:
    return {"name": file.name, "size": file.size_bytes, "text": file.file.read().decode(),
            "folder": folder, "agent": agent_id}  # fmt: skip


async def read_file(ctx: Context, path: str) -> Download:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"one "
        yield path.encode()

    return Download('ä "x".txt', "text/plain", chunks())


async def count_up(ctx: Context, to: int, fail: bool = False) -> AsyncIterator[Thing]:
    if to < 0:
        raise RateLimited("upstream_rate_limited", provider="x", retry_after_s=7)
    for number in range(to):
        yield Thing(name=str(number))
    if fail:
        raise Conflict("run_cancelled")


async def break_down(ctx: Context) -> None:
    raise KeyError("a bug with secret-word in it")


def read(function: Callable[..., Awaitable[Any]]) -> Operation[..., Any]:
    return Operation(Scope.READ, function)


def admin(function: Callable[..., Awaitable[Any]]) -> Operation[..., Any]:
    return Operation(Scope.ADMIN, function)


BY_SLUG = {"id": read(get_thing)}
TRANSLATION = Translation(
    names={"title": "name", "thing_name": "name"},
    ignored=frozenset({"id"}),
    references={"owner": ("owner_id", read(get_thing))},
    not_sent={"settings": frozenset({"***"})},
)
COUNT = Part(read(count_things))
ROUTES = (
    Route("GET", "/v1/things", read(list_things), ThingView, many="things",
          also={"total": COUNT}, names={"since": "from"}),
    Route("GET", "/v1/all", read(list_things), ThingView, many="",
          fixed={"page": PageRequest(9)}),
    Route("GET", "/v1/things/{id}", read(get_thing), ThingView, one="thing"),
    Route("PUT", "/v1/things/{id}", read(update_thing), ThingView, constants={"ok": "true"},
          by_slug=BY_SLUG, translation=TRANSLATION),
    Route("DELETE", "/v1/things/{id}", admin(get_thing), constants={"status": "deleted"}),
    Route("POST", "/v1/things/{thingID}/weigh", read(weigh_thing), names={"id": "thingID"}),
    Route("POST", "/v1/upload", read(store_file), status=201),
    Route("GET", "/v1/files/{path...}", read(read_file), encoder=send_file),
    Route("GET", "/v1/stream", Stream(Scope.READ, count_up), ThingView, encoder=send_events),
    Route("GET", "/v1/broken", read(break_down)),
    Route("GET", "/v1/chat/broken", read(break_down), openai_errors=True),
)  # fmt: skip


def app_with(**settings: Any) -> Any:
    return rest_app(services_with(Settings(max_body_bytes=2000, **settings)), ROUTES)


def services_with(settings: Settings) -> Services:
    """What answering takes besides an operation's own needs."""
    counters = MemoryStorage()
    rates = Rates(settings, counters)
    given = SimpleNamespace(
        settings=settings,
        edge=Edge(settings, rates),
        rates=rates,
        failures=Failures(settings, counters),
        key_use=SimpleNamespace(note_refused=lambda *_: None),
    )
    return cast(Services, given)
