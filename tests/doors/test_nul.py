"""No argument takes NUL, which no text in the database can hold."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    get_named_type,
    get_nullable_type,
    is_required_argument,
    is_required_input_field,
)

from goclaw.core.callers import Scope
from goclaw.schema.documents import CORE_SCHEMA
from tests.doors.calling import Caller, asked_over
from tests.doors.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

NUL = "a\x00b"
UUID = "0199bc1e-0000-7000-8000-000000000000"
UNSHARE = "mutation { unshareAgent"
INSTANT = "2026-01-01T00:00:00Z"
VALUES: dict[str, Any] = {
    "UUID": UUID, "ID": UUID, "String": "a", "Int": 1, "Float": 1.0, "Boolean": True,
    "DateTime": INSTANT, "Decimal": "1", "JSON": {},
}  # fmt: skip
ROOTS = {
    "query": CORE_SCHEMA.query_type,
    "mutation": CORE_SCHEMA.mutation_type,
    "subscription": CORE_SCHEMA.subscription_type,
}


def sample(kind: Any) -> Any:
    kind = get_nullable_type(kind)
    if isinstance(kind, GraphQLList):
        return [sample(kind.of_type)]
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        needed = {n: f for n, f in kind.fields.items() if is_required_input_field(f)}
        return {name: sample(field.type) for name, field in needed.items()}
    return VALUES[kind.name]


def spoilt(kind: Any) -> Any:
    text: Any = {"deep": [NUL]} if get_named_type(kind).name == "JSON" else NUL
    return [text] if isinstance(get_nullable_type(kind), GraphQLList) else text


def texts() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Operation, field, the argument or field of an input that gets NUL, and what is sent."""
    for word, root in ROOTS.items():
        assert root is not None
        for name, field in root.fields.items():
            needed = {n: a for n, a in field.args.items() if is_required_argument(a)}
            sent = {n: sample(argument.type) for n, argument in needed.items()}
            for argument_name, argument in field.args.items():
                kind = get_named_type(argument.type)
                if isinstance(kind, GraphQLInputObjectType):
                    for part, inner in kind.fields.items():
                        if get_named_type(inner.type).name in ("String", "ID", "JSON"):
                            given = sent[argument_name] | {part: spoilt(inner.type)}
                            yield word, name, part, sent | {argument_name: given}
                elif kind.name in ("String", "ID", "JSON"):
                    given = spoilt(argument.type)
                    yield word, name, argument_name, sent | {argument_name: given}


def document(word: str, name: str, sent: dict[str, Any]) -> str:
    root = ROOTS[word]
    assert root is not None
    arguments = root.fields[name].args
    kinds = ", ".join(f"${given}: {arguments[given].type}" for given in sent)
    passed = ", ".join(f"{given}: ${given}" for given in sent)
    scalar = get_named_type(root.fields[name].type)
    selected = "{ __typename }" if hasattr(scalar, "fields") or hasattr(scalar, "types") else ""
    return f"{word} ({kinds}) {{ {name}({passed}) {selected} }}"


TEXTS = list(texts())


@pytest.mark.parametrize(("word", "name", "told", "sent"), TEXTS, ids=lambda value: str(value)[:40])
async def test_every_argument_refuses_it(
    world: World, word: str, name: str, told: str, sent: dict[str, Any]
) -> None:
    root = world.root("ada")
    before = await world.digest()
    ask = root.first if word == "subscription" else root.graphql
    answer = await ask(document(word, name, sent), **sent)
    assert answer.status == 200, answer.text
    assert answer.code == "invalid_input", answer.text
    assert answer.body["errors"][0]["extensions"]["field"] == told
    assert "NUL" in answer.text
    assert await world.digest() == before


async def test_there_is_such_an_argument() -> None:
    assert ("mutation", "unshareAgent", "userId") in {text[:3] for text in TEXTS}
    assert len(TEXTS) > 50


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ('{ agents(search: "\\u0000") { nodes { id } } }', "search"),
        ('query ($it: String = "\\u0000") { agents(search: $it) { nodes { id } } }', "query"),
        (
            UNSHARE + f'(input: {{agentId: "{UUID}", userId: "\\u0000"}}) {{ id }} }}',
            "userId",
        ),
    ],
)
async def test_written_into_the_document(world: World, query: str, told: str) -> None:
    caller: Caller = world.caller(Scope.WRITE)
    answer = await caller.graphql(query)
    assert answer.code == "invalid_input", answer.text
    assert answer.body["errors"][0]["extensions"]["field"] == told


async def test_a_variable_is_named_by_what_it_is_for(world: World) -> None:
    text = UNSHARE.replace("{", "($u: String!) {", 1)
    text += f'(input: {{agentId: "{UUID}", userId: $u}}) {{ id }} }}'
    caller = world.caller(Scope.WRITE)
    for answer in (await caller.graphql(text, u=NUL), await over_a_socket(caller, text, u=NUL)):
        assert answer.code == "invalid_input", answer.text
        assert answer.body["errors"][0]["extensions"]["field"] == "userId"


async def over_a_socket(caller: Caller, text: str, **variables: Any) -> Any:
    async with caller.socket() as socket:
        return await asked_over(socket, text, **variables)
