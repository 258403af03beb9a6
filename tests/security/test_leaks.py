"""The search for secrets in the open finds what is planted, wherever and however written."""

import re
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote
from uuid import uuid4

import pytest
from pydantic import SecretStr

from goclaw.models.providers import ProviderCreate, ProviderType
from goclaw.models.sealed import SealedColumn
from goclaw.resolvers.providers import create_provider
from goclaw.resolvers.services import Services
from goclaw.store.tables import TABLES
from tests.security.sealing import add_sealed, execute
from tests.support.callers import context
from tests.support.databases import run_sql
from tests.support.leak_watch import assert_no_leaks
from tests.support.leaks import Secrets, leaks
from tests.support.vaults import key_of, vault_of

SECRET = "sk-dug-in?>~~-ÿ-0123456789"
PLANTED = (
    SECRET,
    f"the key is {SECRET}.",
    SECRET.upper(),
    SECRET.encode().hex(),
    b64encode(SECRET.encode()).decode(),
    b64encode(f"a{SECRET}b".encode()).decode(),
    b64encode(f"ab{SECRET}".encode()).decode(),
    urlsafe_b64encode(f"user:{SECRET}".encode()).decode(),
    f"https://example.com/?key={quote(SECRET, safe='')}",
    f"Bearer goclaw_{'0123456789abcdef' * 2}",
    "x" + "k" * 32,
    "test-token",
)
EVENT = """insert into events (id, topic, kind, audience, payload) values
    (gen_random_uuid(), 't', 'k', 'all', jsonb_build_object('a', array[$1::text]))"""
BODY = "insert into fanout_payloads values (gen_random_uuid(), now(), convert_to($1, 'UTF8'))"
SPAN = """insert into spans (id, trace_id, span_type, name, status, start_time, created_at, error)
    values (gen_random_uuid(), gen_random_uuid(), 'llm', 'n', 'error', now(), now(), $1)"""

pytestmark = pytest.mark.leaky("planted here")


@pytest.fixture
def dug() -> Secrets:
    return Secrets([SECRET])


async def test_a_planted_secret_is_found_however_it_is_written(dsn: str, dug: Secrets) -> None:
    """In JSON, in bytes and in a text: of events, bodies of the fan-out, and traces."""
    for text in PLANTED:
        assert await leaks(dsn, dug) == []
        for statement in (EVENT, BODY, SPAN):
            await execute(dsn, statement, text)
        found = {(leak.table, leak.column) for leak in await leaks(dsn, dug)}
        assert found == {("events", "payload"), ("fanout_payloads", "body"), ("spans", "error")}
        await run_sql(dsn, "truncate events, fanout_payloads, spans")


async def test_no_text_column_of_any_table_is_left_out(dsn: str, dug: Secrets) -> None:
    """Also of tables that nobody told us about."""
    columns = [
        (str(table.__tablename__), name, column.type)
        for table in TABLES
        for name, column in table.__table__.columns.items()  # type: ignore[attr-defined]
        if re.search("VARCHAR|TEXT|String", str(column.type))
    ]
    assert len(columns) > 60
    statements: list[str] = []
    for number, (table, name, kind) in enumerate(columns):
        value = f"array['{SECRET}']" if "ARRAY" in repr(kind) else f"'{SECRET}'"
        statements += [
            f"create table planted_{number} as select * from {table} with no data",
            f"insert into planted_{number} ({name}) values ({value})",
        ]
    await run_sql(dsn, *statements)
    found = {(leak.table, leak.column) for leak in await leaks(dsn, dug)}
    assert found == {(f"planted_{number}", name) for number, (_, name, _) in enumerate(columns)}


async def test_ciphertext_is_where_it_is_listed_and_nothing_else_is(dsn: str, dug: Secrets) -> None:
    for place in SealedColumn:
        await add_sealed(dsn, key_of("a"), 2, place)
    assert await leaks(dsn, dug) == []
    sealed = vault_of(key_of("a")).seal(SECRET, SealedColumn.PROVIDER_KEY, uuid4())
    await execute(dsn, "update providers set display_name = $1", sealed)
    await execute(dsn, "update idempotent_requests set secret = 'in the open'")
    found = {(leak.column, leak.what) for leak in await leaks(dsn, dug)}
    assert found == {
        ("display_name", "holds ciphertext and is not listed"),
        ("secret", "holds no ciphertext"),
    }


async def test_every_test_with_a_database_ends_with_the_search(
    services: Services, secrets: Secrets
) -> None:
    """Which knows what was sealed in this process."""
    key = SecretStr("dug-in-just-now")
    data = ProviderCreate(name="x", provider_type=ProviderType.OPENAI_COMPAT, api_key=key)
    await create_provider(context(services), data)
    dsn = services.host.dsn
    await assert_no_leaks(dsn, secrets, marked=False)
    await execute(dsn, "update providers set display_name = 'It is dug-in-just-now.'")
    with pytest.raises(pytest.fail.Exception, match=r"providers\.display_name: dug-in-just-now as"):
        await assert_no_leaks(dsn, secrets, marked=False)
    await assert_no_leaks(dsn, secrets, marked=True)


@pytest.mark.parametrize("size", range(12, 40))
def test_base64_is_found_at_every_place(size: int) -> None:
    secret = ("sk-" + "x7Q" * 20)[:size]
    for before in range(7):
        whole = b64encode(b"." * before + secret.encode() + b"---").decode()
        assert list(Secrets([secret]).within(whole)), (before, whole)
    assert not list(Secrets([secret]).within(b64encode(b"something else" * 9).decode()))


def test_what_was_learned_for_one_database_is_not_looked_for_in_the_next() -> None:
    secrets = Secrets()
    secrets.learn("sealed-while-nobody-looked")
    with secrets.watch():
        secrets.learn("sealed-in-the-first")
        assert list(secrets.within("It is sealed-in-the-first.")) != []
    found = secrets.within("sealed-in-the-first, sealed-while-nobody-looked, sk-planted")
    assert list(found) == ["sk-planted as it is"]


def test_a_word_of_the_server_is_no_secret() -> None:
    secrets = Secrets(["operator.approvals"])
    assert list(secrets.within("operator.approvals")) == []
