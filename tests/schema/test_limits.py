"""What one document may ask for."""

import pytest

from goclaw.schema import documents
from tests.schema.client import Client


def chain(depth: int) -> str:
    """A query whose deepest field is on this level."""
    inner = "id"
    for level in reversed(range(depth - 2)):
        inner = f"{'session' if level % 2 else 'activeRun'} {{ {inner} }}"
    return f'{{ session(id: "00000000-0000-0000-0000-000000000000") {{ {inner} }} }}'


async def test_depth(admin: Client) -> None:
    for depth in (11, 12):
        query = chain(depth)
        assert (await admin.error(query))["code"] == "session_not_found"
    error = await admin.error(chain(13))
    assert error["code"] == "query_too_deep"
    assert "13" in error["message"]
    assert "12" in error["message"]


async def test_depth_through_fragments(admin: Client) -> None:
    fragments = [
        f"fragment F{n} on Session {{ activeRun {{ session {{ ...F{n + 1} }} }} }}"
        for n in range(6)
    ]
    last = "fragment F6 on Session { id }"
    query = '{ session(id: "00000000-0000-0000-0000-000000000000") { ...F0 } }'
    error = await admin.error(" ".join([query, *fragments, last]))
    assert error["code"] == "query_too_deep"


async def test_fragments_that_spread_each_other(admin: Client) -> None:
    query = "{ me { ...A } } fragment A on Me { ...B } fragment B on Me { ...A }"
    _, payload = await admin.post(query)
    assert payload["errors"][0]["extensions"]["code"] == "graphql_invalid"
    doubled = " ".join(f"fragment F{n} on Me {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60))
    query = f"{{ me {{ ...F0 }} }} {doubled} fragment F60 on Me {{ role }}"
    assert (await admin.data(query))["me"] == {"role": "ADMIN"}


async def test_aliases(admin: Client) -> None:
    def query(count: int) -> str:
        return "{ " + " ".join(f"a{n}: me {{ role }}" for n in range(count)) + " }"

    assert len(await admin.data(query(30))) == 30
    assert (await admin.error(query(31)))["code"] == "too_many_aliases"


async def test_tokens(admin: Client) -> None:
    def query(scopes: int) -> str:
        listed = "READ " * scopes
        return f'mutation {{ createApiKey(input: {{name: "x", scopes: [{listed}]}}) {{ secret }} }}'

    assert (await admin.error(query(1950)))["field"] == "scopes"
    error = await admin.error(query(2050))
    assert error["code"] == "too_many_tokens"
    assert "2000" in error["message"]


async def test_repeated_fields_are_refused_before_they_are_compared(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Comparing each with each would hold everybody up for most of a second."""
    with monkeypatch.context() as without:
        without.setattr(documents, "validate", None)
        for query in (
            "{ " + "me { role } " * 390 + "}",
            "{ me { ...F } } fragment F on Me { " + "role " * 1900 + "}",
        ):
            assert (await admin.error(query))["code"] == "too_many_repeats"
    assert await admin.data("{ " + "me { role } " * 80 + "}")


async def test_cost(admin: Client) -> None:
    query = """query($n: Int!, $m: Int!) {
      sessions(first: $n) { nodes { messages(first: $m) { nodes { id } } agent { id } } }
    }"""
    assert await admin.data(query, n=100, m=100)
    deeper = """query($n: Int!) {
      sessions(first: $n) { nodes { agent { shares { id } }
        messages(first: 100) { nodes { id } totalCount }
        activeRun { session { messages(first: 100) { nodes { id } } } }
      } }
    }"""
    assert await admin.data(deeper, n=50)
    error = await admin.error(deeper, n=100)
    assert error["code"] == "query_too_costly"
    assert "20000" in error["message"]
    assert (await admin.error(query, n=1000, m=1))["field"] == "first"
    for first in (0, -1, 101):
        assert (await admin.error(query, n=first, m=1))["code"] == "invalid_input"


async def test_documents_are_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "KEPT", documents.Kept())
    monkeypatch.setattr(documents, "KEPT_CHARS", 60)
    one, two, three = (f"{{ {name}: me {{ role }} }}" for name in ("one", "two", "three"))
    kept = documents.prepare(one)
    documents.prepare(two)
    assert documents.prepare(one) is kept
    documents.prepare(three)
    assert documents.KEPT.get(two) is None
    assert documents.prepare(one) is kept
    documents.prepare("{ nothing }")
    assert documents.KEPT.get("{ nothing }") is None


async def test_introspection_cannot_be_nested(admin: Client) -> None:
    nested_lists = "fields { type { " * 4 + "name" + " } }" * 4
    _, payload = await admin.post(f"{{ __schema {{ types {{ {nested_lists} }} }} }}")
    assert payload["errors"][0]["extensions"]["code"] == "graphql_invalid"
