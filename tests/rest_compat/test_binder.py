"""The binder with operations of its own: parameters, bodies, and what is told of bad ones."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from goclaw.core.paging import cursor_of
from tests.rest_compat.things import ID, app_with


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
