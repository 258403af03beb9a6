"""The binder with operations of its own: what later routes need, too."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import httpx2
import pytest
from pydantic import BaseModel

from goclaw.core.callers import Scope
from goclaw.core.errors import Conflict, RateLimited
from goclaw.core.files import Download, Upload
from goclaw.core.paging import Page, PageRequest, cursor_of
from goclaw.core.settings import Settings
from goclaw.models.shapes import Patch, Slug, View
from goclaw.resolvers.context import Context
from goclaw.resolvers.operation import Operation, Stream
from goclaw.resolvers.refs import Ref
from goclaw.resolvers.services import Services
from goclaw.rest_compat.app import rest_app
from goclaw.rest_compat.encoders import send_events, send_file
from goclaw.rest_compat.openapi import document
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


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app_with(), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


async def test_a_page_with_total_and_cursor(client: httpx2.AsyncClient) -> None:
    body = (await client.get("/v1/things")).json()
    assert body == {
        "things": [{"id": str(ID), "name": "50,0,None,None,False", "colour": "red"}],
        "total": 3,
        "limit": 50,
        "offset": 0,
        "next_cursor": cursor_of(ID),
    }
    given = {
        "limit": "7", "offset": "2", "colour": "blue", "from": "2026-01-31T12:00:00+01:00",
        "deep": "true", "cursor": cursor_of(ID),
    }  # fmt: skip
    body = (await client.get("/v1/things", params=given)).json()
    assert body["things"][0]["name"] == "7,2,blue,2026-01-31 12:00:00+01:00,True"
    assert (body["total"], body["next_cursor"]) == (1, None)


async def test_a_bare_list_takes_no_page(client: httpx2.AsyncClient) -> None:
    body = (await client.get("/v1/all?limit=1")).json()
    assert [row["name"] for row in body] == ["9,0,None,None,False"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=", "limit"),
        ("limit=1_0", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("offset=10001", "offset"),
        ("offset=-1", "offset"),
        ("cursor=x", "cursor"),
        ("colour=green", "colour"),
        ("deep=1", "deep"),
        ("from=yesterday", "from"),
        ("from=2026-01-31", "from"),
        ("from=2026-02-31T00:00:00Z", "from"),
        ("limit=1&limit=2", "limit"),
    ],
)
async def test_bad_queries(client: httpx2.AsyncClient, query: str, field: str) -> None:
    answer = await client.get(f"/v1/things?{query}")
    assert (answer.status_code, answer.json()["field"]) == (400, field)


async def test_one_record_in_a_field(client: httpx2.AsyncClient) -> None:
    body = (await client.get("/v1/things/a-slug")).json()
    assert body == {"thing": {"id": str(ID), "name": "a-slug", "colour": "red"}}


async def test_a_slug_stands_for_the_id_and_names_are_translated(
    client: httpx2.AsyncClient,
) -> None:
    sent = {"title": "x", "thing_name": "x", "id": "dropped", "owner": "ada", "settings": "***"}
    answer = await client.put("/v1/things/a-slug", json=sent)
    assert answer.json()["name"] == str([("name", "x"), ("owner_id", ID)])
    assert answer.json()["ok"] == "true"


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b'{"title": "x", "thing_name": "y"}', "invalid_input", "thing_name"),
        (b'{"title": "Not A Slug"}', "invalid_input", "title"),
        (b'{"colour": "red"}', "unknown_field", "colour"),
        (b'{"weight": "1"}', "invalid_input", "weight"),
        (b'{"weight": true}', "invalid_input", "weight"),
        (b'{"weight": 1e400}', "invalid_json", None),
        (b'{"owner": 5}', "invalid_input", "owner"),
        (b'{"owner": "a\\u0000b"}', "invalid_input", "owner"),
        (b'{"title": "\\ud800"}', "invalid_json", None),
        (b'{"title": "\xff"}', "invalid_json", None),
        (b'{"settings": ' + b'{"a":' * 120 + b"1" + b"}" * 121, "invalid_json", None),
        (b"[" * 900 + b"]" * 900, "invalid_input", "body"),
        (b"[]", "invalid_input", "body"),
        (b"null", "invalid_input", "body"),
        (b"", "invalid_json", None),
        (b"{", "invalid_json", None),
        (b'{"weight": NaN}', "invalid_json", None),
    ],
)
async def test_bad_bodies(
    client: httpx2.AsyncClient, body: bytes, code: str, field: str | None
) -> None:
    answer = await client.put(f"/v1/things/{ID}", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json().get("field") == field


async def test_whole_numbers_may_have_a_point(client: httpx2.AsyncClient) -> None:
    answer = await client.put(f"/v1/things/{ID}", content=b'{"weight": 5.0}')
    assert answer.json()["name"] == str([("weight", 5)])


async def test_an_operations_error_names_the_field_as_it_was_sent(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.put(f"/v1/things/{ID}", json={"weight": 13, "thing_name": "x"})
    assert answer.status_code == 409
    assert (answer.json()["code"], answer.json()["field"]) == ("agent_key_taken", "thing_name")


async def test_simple_values_are_a_small_body(client: httpx2.AsyncClient) -> None:
    path = f"/v1/things/{ID}/weigh"
    assert (await client.post(path, json={"model": "m"})).json() == {"model": "m", "times": 1}
    missing = await client.post(path, json={})
    assert (missing.status_code, missing.json()["code"]) == (400, "required")
    assert missing.json()["field"] == "model"
    bad_id = await client.post("/v1/things/nope/weigh", json={"model": "m"})
    assert (bad_id.json()["code"], bad_id.json()["field"]) == ("invalid_id", "thingID")


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x"],
)
async def test_what_a_form_can_send_is_no_json(client: httpx2.AsyncClient, media_type: str) -> None:
    answer = await client.put(
        f"/v1/things/{ID}", content=b"{}", headers={"Content-Type": media_type}
    )
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media")


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "text/json", "application/merge-patch+json"]
)
async def test_json_has_many_names(client: httpx2.AsyncClient, media_type: str) -> None:
    answer = await client.put(
        f"/v1/things/{ID}", content=b"{}", headers={"Content-Type": media_type}
    )
    assert answer.status_code == 200


async def test_large_bodies(client: httpx2.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b" " * 100

    for content in (b" " * 2001, chunks()):
        answer = await client.put(f"/v1/things/{ID}", content=content)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
        assert "2000" in answer.json()["error"]
    upload = await client.post("/v1/upload", files={"file": b"x" * 3000}, data={"folder": "f"})
    assert upload.status_code == 413


async def test_upload(client: httpx2.AsyncClient) -> None:
    answer = await client.post(
        "/v1/upload", files={"file": ("a.txt", b"words")}, data={"folder": "f", "agent_id": str(ID)}
    )
    assert answer.status_code == 201
    assert answer.json() == {
        "name": "a.txt", "size": 5, "text": "words", "folder": "f", "agent": str(ID),
    }  # fmt: skip
    lost = await client.post("/v1/upload", files={"other": b"x"}, data={"folder": "f"})
    assert (lost.status_code, lost.json()["field"]) == (400, "file")
    none = await client.post("/v1/upload", json={})
    assert none.status_code == 415
    torn = await client.post(
        "/v1/upload", content=b"--x\r\n", headers={"Content-Type": "multipart/form-data"}
    )
    assert torn.status_code == 400


async def test_a_file_is_streamed(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/files/a/b%20c")
    assert answer.text == "one a/b c"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"_ _x_.txt\"; filename*=UTF-8''%C3%A4%20%22x%22.txt"
    )


async def test_events(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/stream?to=2")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = answer.text.split("\n\n")
    assert [event[:6] for event in events] == ["data: ", "data: ", ""]
    assert '"name":"1"' in events[1]
    assert "hidden" not in answer.text


async def test_events_that_fail(client: httpx2.AsyncClient) -> None:
    late = await client.get("/v1/stream?to=1&fail=true")
    assert late.status_code == 200
    assert 'event: error\ndata: {"error":"the run was cancelled"' in late.text
    early = await client.get("/v1/stream?to=-1")
    assert (early.status_code, early.headers["retry-after"]) == (429, "7")


async def test_a_bug_is_told_by_its_request_alone(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/broken", headers={"X-Request-Id": "abc-1"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "abc-1" in answer.json()["error"]
    assert "secret-word" not in answer.text
    openai = (await client.get("/v1/chat/broken")).json()["error"]
    assert (openai["code"], openai["type"]) == ("internal", "server_error")


async def test_request_ids(client: httpx2.AsyncClient) -> None:
    given = await client.get("/v1/all", headers={"X-Request-Id": "mine.1"})
    assert given.headers["x-request-id"] == "mine.1"
    for bad in (b"a b", b"x" * 129, "ü".encode()):
        made = (await client.get("/v1/all", headers={b"X-Request-Id": bad})).headers["x-request-id"]
        assert len(made) == 32
    assert (await client.get("/v1/none")).headers["x-request-id"]


async def test_methods_and_paths(client: httpx2.AsyncClient) -> None:
    head = await client.head("/v1/all")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 0
    wrong = await client.patch("/v1/things/x")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "DELETE, GET, HEAD, PUT")
    assert wrong.json()["code"] == "method_not_allowed"
    for path in ("/v1/all/", "/v1/none", "/v1/things//weigh"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_scopes(client: httpx2.AsyncClient) -> None:
    answer = await client.delete("/v1/things/x")
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


async def test_who_is_calling_comes_before_what_is_wrong() -> None:
    transport = httpx2.ASGITransport(app=app_with(gateway_token="t"))
    async with httpx2.AsyncClient(transport=transport, base_url="http://10.0.0.1") as client:
        answer = await client.put(f"/v1/things/{ID}", content=b"{")
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        token = {"Authorization": "bearer t"}
        assert (
            await client.put(f"/v1/things/{ID}", content=b"{", headers=token)
        ).status_code == 400
        assert (await client.delete("/v1/things/x", headers=token)).status_code == 200


async def test_other_sites(client: httpx2.AsyncClient) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Host": "rebound.example"}):
        answer = await client.get("/v1/all", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "origin_refused")
    assert (await client.options("/v1/all")).status_code == 405


async def test_configured_sites_may_read() -> None:
    transport = httpx2.ASGITransport(app=app_with(allowed_origins="https://ui.example"))
    headers = {"Origin": "https://ui.example"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answer = await client.get("/v1/all", headers=headers)
        assert answer.headers["access-control-allow-origin"] == "https://ui.example"
        preflight = await client.options("/v1/all", headers=headers)
        assert preflight.status_code == 204
        assert "Authorization" in preflight.headers["access-control-allow-headers"]
        refused = await client.get("/v1/none", headers=headers)
        assert refused.headers["access-control-allow-origin"] == "https://ui.example"


async def test_the_users_header_is_utf_8() -> None:
    async def whose(ctx: Context) -> dict[str, Any]:
        return {"user": ctx.caller.user_id}

    services = services_with(Settings())
    transport = httpx2.ASGITransport(app=rest_app(services, (Route("GET", "/me", read(whose)),)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for sent in ("jürgen".encode(), "jürgen".encode("latin-1")):
            answer = await client.get("/me", headers={b"X-GoClaw-User-Id": sent})
            assert answer.json() == {"user": "jürgen"}
        long = await client.get("/me", headers={"X-GoClaw-User-Id": "x" * 256})
        assert (long.status_code, long.json()["code"]) == (400, "user_id_too_long")


def test_documentation_of_parameters_and_bodies() -> None:
    paths = document(ROUTES)["paths"]
    things = {item["name"]: item for item in paths["/v1/things"]["get"]["parameters"]}
    assert things["limit"]["schema"]["maximum"] == 200
    assert things["from"]["schema"]["format"] == "date-time"
    assert things["colour"]["schema"]["enum"] == ["red", "blue"]
    upload = paths["/v1/upload"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(upload["required"]) == {"file", "folder"}
    assert {"413", "415"} <= set(paths["/v1/upload"]["post"]["responses"])
    assert "413" not in paths["/v1/things"]["get"]["responses"]


async def test_a_client_that_hangs_up_ends_the_stream() -> None:
    ended = asyncio.Event()

    async def endless(ctx: Context) -> AsyncIterator[Thing]:
        try:
            while True:
                yield Thing()
                await asyncio.sleep(0.01)
        finally:
            ended.set()

    services = services_with(Settings())
    route = Route("GET", "/v1/s", Stream(Scope.READ, endless), ThingView, encoder=send_events)
    app = rest_app(services, (route,))
    enough = asyncio.Event()

    async def receive() -> Any:
        await enough.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            enough.set()

    scope = {"type": "http", "method": "GET", "path": "/v1/s", "query_string": b"", "headers": []}
    await asyncio.wait_for(app(scope, receive, send), 5)
    assert ended.is_set()
