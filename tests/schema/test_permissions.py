"""Every root field with nobody, with a key that may not, and with one that may."""

from typing import Any
from uuid import uuid4

from graphql import GraphQLField, GraphQLInputObjectType, GraphQLObjectType, get_named_type

from goclaw.schema.documents import CORE_SCHEMA
from tests.schema.client import Client

NEED: dict[str, str | None] = {
    "me": None,
    "securityOverview": "ADMIN",
    "apiKeys": "ADMIN",
    "createApiKey": "ADMIN",
    "rotateApiKey": "ADMIN",
    "revokeApiKey": "ADMIN",
    "transferAgents": "ADMIN",
    "purgeUser": "ADMIN",
    "stopAllRuns": "ADMIN",
    "resumeRuns": "ADMIN",
    "updateBuiltinTool": "ADMIN",
}
"""The scope of a root field; else READ for what is asked or followed, WRITE for what is done."""

NEW_KEY = """mutation($i: CreateApiKeyInput!) { createApiKey(input: $i) { secret } }"""
SAMPLES: dict[str, Any] = {
    "String": "x", "Int": 1, "Float": 1.0, "Boolean": True, "JSON": {"a": "b"},
    "UUID": str(uuid4()), "DateTime": "2026-11-23T10:00:00Z",
}  # fmt: skip
ONE_OF = {"SetContextFileInput": {"name": "SOUL.md"}}
"""Texts that are not free, by the input they stand in."""


def sample(kind: Any) -> Any:
    inner = get_named_type(kind)
    if isinstance(inner, GraphQLInputObjectType):
        required = {k: f for k, f in inner.fields.items() if str(f.type).endswith("!")}
        made = {name: sample(field.type) for name, field in required.items()}
        return made | ONE_OF.get(inner.name, {})
    value = SAMPLES.get(inner.name) or next(iter(inner.values))
    return [value] if str(kind).startswith("[") else value


def document(word: str, name: str, field: GraphQLField) -> tuple[str, dict[str, Any]]:
    given = {key: arg for key, arg in field.args.items() if str(arg.type).endswith("!")}
    given.pop("first", None)
    if name == "agent":
        given = {"id": field.args["id"]}
    declared = ", ".join(f"${key}: {arg.type}" for key, arg in given.items())
    passed = ", ".join(f"{key}: ${key}" for key in given)
    inner = get_named_type(field.type)
    selected = "{ __typename }" if hasattr(inner, "fields") or hasattr(inner, "types") else ""
    text = f"{word} X{f'({declared})' if declared else ''} {{ {name}"
    text += f"{f'({passed})' if passed else ''} {selected} }}"
    return text, {key: sample(arg.type) for key, arg in given.items()}


def roots(kind: GraphQLObjectType | None, word: str) -> list[tuple[str, str, dict[str, Any]]]:
    assert kind is not None
    return [(name, *document(word, name, field)) for name, field in kind.fields.items()]


async def code_of(client: Client, query: str, variables: dict[str, Any]) -> str | None:
    _, payload = await client.post(query, **variables)
    return payload["errors"][0]["extensions"]["code"] if "errors" in payload else None


async def test_queries_and_mutations(admin: Client, nobody: Client) -> None:
    keys = {}
    for scope in ("ADMIN", "READ", "WRITE", "PAIRING"):
        made = await admin.data(NEW_KEY, i={"name": scope, "scopes": [scope], "userId": "ada"})
        keys[scope] = admin.acting(made["createApiKey"]["secret"])
    refused = {"unauthenticated", "scope_missing"}
    for kind, word, usual in (
        (CORE_SCHEMA.query_type, "query", "READ"),
        (CORE_SCHEMA.mutation_type, "mutation", "WRITE"),
    ):
        for name, query, variables in roots(kind, word):
            assert await code_of(nobody, query, variables) == "unauthenticated", name
            need = NEED.get(name, usual)
            wrong = {"ADMIN": "WRITE", "WRITE": "READ", "READ": "PAIRING"}.get(need or "")
            if wrong is not None:
                assert await code_of(keys[wrong], query, variables) == "scope_missing", name
            right = keys[need or "PAIRING"]
            assert await code_of(right, query, variables) not in refused, name


async def test_subscriptions(admin: Client) -> None:
    made = await admin.data(NEW_KEY, i={"name": "p", "scopes": ["PAIRING"], "userId": "ada"})
    async with admin.acting(made["createApiKey"]["secret"]).socket() as ws:
        for name, query, variables in roots(CORE_SCHEMA.subscription_type, "subscription"):
            await ws.subscribe(name, query, **variables)
            message = await ws.receive()
            assert message["type"] == "error", name
            assert message["payload"][0]["extensions"]["code"] == "scope_missing"
