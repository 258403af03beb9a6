"""`/graphql` over HTTP: statuses, media types, refusals."""

from io import BytesIO
from typing import Any

import aiohttp
import orjson
import pytest

from goclaw.schema import system
from tests.schema.client import Client

ME = "{ me { role } }"
NEW = "application/graphql-response+json"


async def sent(client: Client, **more: Any) -> tuple[int, dict[str, Any], aiohttp.ClientResponse]:
    """A POST with these arguments of aiohttp."""
    more["headers"] = client.headers | more.get("headers", {})
    async with client.http.post(client.url, **more) as answer:
        return answer.status, orjson.loads(await answer.read()), answer


async def test_nobody_gets_200_and_a_code(nobody: Client) -> None:
    status, payload = await nobody.post(ME)
    assert status == 200
    assert payload["data"] is None
    assert payload["errors"][0]["extensions"] == {"code": "unauthenticated"}


BAD_TOKENS = ["wrong", "goclaw_" + "0" * 32]


async def test_a_bad_credential_is_401(nobody: Client) -> None:
    for token in BAD_TOKENS:
        status, payload, answer = await sent(nobody.acting(token), json={"query": ME})
        assert status == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert payload["errors"][0]["extensions"]["code"] == "invalid_credential"


async def test_introspection_needs_a_credential(nobody: Client, admin: Client) -> None:
    query = "query A { ...F } fragment F on Query { __schema { queryType { name } } }"
    assert (await nobody.error(query))["code"] == "unauthenticated"
    assert (await nobody.post("{ __typename }"))[1] == {"data": {"__typename": "Query"}}
    assert (await admin.data(query))["__schema"] == {"queryType": {"name": "Query"}}


async def test_request_ids(admin: Client) -> None:
    kept = {"X-Request-Id": "abc-1._Z"}
    _, _, answer = await sent(admin, json={"query": ME}, headers=kept)
    assert answer.headers["X-Request-Id"] == "abc-1._Z"
    _, _, answer = await sent(admin, json={"query": ME}, headers={"X-Request-Id": "a b"})
    assert len(answer.headers["X-Request-Id"]) == 32


ACCEPTED = [
    (None, "application/json", 200),
    ("*/*", "application/json", 200),
    ("application/json", "application/json", 200),
    (NEW, NEW, 400),
    (f"{NEW}, application/json;q=0.9", NEW, 400),
    (f"{NEW};q=0.1, application/json", "application/json", 200),
]


async def test_what_is_accepted_decides(admin: Client) -> None:
    for accept, media_type, status in ACCEPTED:
        headers = {"Accept": accept} if accept else {}
        for query in ("{ nothing }", "{"):
            got, payload, answer = await sent(admin, json={"query": query}, headers=headers)
            assert answer.headers["Content-Type"] == f"{media_type}; charset=utf-8"
            assert got == status
            assert "data" not in payload


MALFORMED = [
    (b"{", "invalid_json", None),
    (b"[]", "batch_refused", None),
    (b'[{"query": "{ me { role } }"}]', "batch_refused", None),
    (b"1", "invalid_json", None),
    (b"{}", "required", "query"),
    (b'{"query": 1}', "invalid_input", "query"),
    (b'{"query": "{ me { role } }", "variables": []}', "invalid_input", "variables"),
    (b'{"query": "{ me { role } }", "operationName": 1}', "invalid_input", "operationName"),
    (b'{"query": "{ me { role } }", "extensions": 1}', "invalid_input", "extensions"),
    (b'{"query": "\xff"}', "invalid_json", None),
]


async def test_malformed_bodies(admin: Client) -> None:
    for body, code, field in MALFORMED:
        headers = {"Content-Type": "application/json"}
        status, payload, _ = await sent(admin, data=body, headers=headers)
        extensions = payload["errors"][0]["extensions"]
        assert status == 400
        assert (extensions["code"], extensions.get("field")) == (code, field)


FORMS = [
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "application/json; charset=iso-8859-1",
    "application/graphql",
]


async def test_what_a_form_can_send_is_refused(admin: Client) -> None:
    for content_type in FORMS:
        headers = {"Content-Type": content_type}
        body = orjson.dumps({"query": ME})
        status, payload, _ = await sent(admin, data=body, headers=headers)
        assert status == 415
        assert payload["errors"][0]["extensions"]["code"] == "unsupported_media"


async def test_a_large_body_is_refused_with_the_limit(admin: Client) -> None:
    body = orjson.dumps({"query": ME, "variables": {"x": "y" * 1024 * 1024}})

    async def chunks() -> Any:
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    for data in (BytesIO(body), chunks()):
        headers = {"Content-Type": "application/json"}
        status, payload, _ = await sent(admin, data=data, headers=headers)
        assert status == 413
        assert "1048576" in payload["errors"][0]["message"]


async def test_get_reads_and_never_writes(admin: Client) -> None:
    async def get(**params: str) -> tuple[int, Any]:
        async with admin.http.get(admin.url, params=params, headers=admin.headers) as answer:
            return answer.status, orjson.loads(await answer.read())

    agents = "query Q($n: Int!) { agents(first: $n) { nodes { key } } }"
    status, payload = await get(query=agents, variables='{"n": 1}')
    assert (status, payload) == (200, {"data": {"agents": {"nodes": [{"key": "default"}]}}})
    writing = 'mutation { createApiKey(input: {name: "x", scopes: [READ]}) { secret } }'
    status, payload = await get(query=writing)
    assert status == 405
    assert payload["errors"][0]["extensions"]["code"] == "method_not_allowed"
    assert (await admin.data("{ apiKeys { totalCount } }"))["apiKeys"]["totalCount"] == 0
    assert (await get(query=agents, variables="{"))[0] == 400
    assert (await get())[0] == 400


METHODS = ["PUT", "DELETE", "PATCH", "HEAD"]


async def test_other_methods(admin: Client) -> None:
    for method in METHODS:
        async with admin.http.request(method, admin.url, headers=admin.headers) as answer:
            assert answer.status == 405
            assert answer.headers["Allow"] == "GET, POST"


async def test_what_breaks_inside_is_not_shown(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: object) -> None:
        raise RuntimeError("the secret is chrysanthemum")

    monkeypatch.setattr(system, "get_me", broken)
    status, payload, answer = await sent(admin, json={"query": ME})
    (error,) = payload["errors"]
    assert status == 200
    assert error["extensions"]["code"] == "internal"
    assert error["path"] == ["me"]
    assert answer.headers["X-Request-Id"] in error["message"]
    assert "chrysanthemum" not in orjson.dumps(payload).decode()


async def test_a_subscription_needs_another_transport(admin: Client) -> None:
    error = await admin.error("subscription { events { kind } }")
    assert error["code"] == "subscription_transport"


async def test_browsers_get_the_editor_and_nothing_from_elsewhere(nobody: Client) -> None:
    accept = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    async with nobody.http.get(nobody.url, headers=accept) as answer:
        page = await answer.text()
        policy = answer.headers["Content-Security-Policy"]
        assert answer.status == 200
        assert answer.content_type == "text/html"
    assert "script-src 'self';" in policy
    assert "http" not in policy
    assert "https://" not in page
    for path in ("/assets/../../../core/errors.py", "/assets/none.js", "/other"):
        async with nobody.http.get(nobody.url + path) as answer:
            assert answer.status == 404


async def test_other_sites_are_kept_out_without_a_token(open_server: Any, http: Any) -> None:
    client = Client(http, open_server.url, None)
    assert (await client.data(ME))["me"]["role"] == "OPERATOR"
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        status, payload, _ = await sent(client, json={"query": ME}, headers=headers)
        assert status == 403
        assert payload["errors"][0]["extensions"]["code"] == "origin_refused"
    status, _, _ = await sent(client, json={"query": ME}, headers={"Origin": open_server.url})
    assert status == 200
