"""The binder with operations of its own: files, events, failures, and who may ask."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from goclaw.core.callers import Scope
from goclaw.core.settings import Settings
from goclaw.resolvers.context import Context
from goclaw.resolvers.operation import Stream
from goclaw.rest_compat.app import rest_app
from goclaw.rest_compat.encoders import send_events
from goclaw.rest_compat.openapi import document
from goclaw.rest_compat.route import Route
from tests.rest_compat.things import (
    ID,
    ROUTES,
    Thing,
    ThingView,
    app_with,
    read,
    services_with,
)


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app_with(), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


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
