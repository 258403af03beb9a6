import pytest
from pydantic import SecretStr

from goclaw.core.errors import Forbidden
from goclaw.core.settings import Settings
from goclaw.security.origin import Origins

OPEN = Settings(host="127.0.0.1", allowed_origins=("https://ui.example",))
TOKEN = Settings(
    host="127.0.0.1",
    gateway_token=SecretStr("secret"),
    allowed_hosts=("gateway.example", "*.tenants.example"),
    allowed_origins=("https://ui.example",),
)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        (None, None),
        ("127.0.0.1:18790", None),
        ("localhost:18790", "http://localhost:18790"),
        ("[::1]:18790", "http://[::1]:18790"),
        ("127.0.0.1:18790", "https://ui.example"),
        ("ui.example", None),
    ],
)
def test_open_server_answers_its_own_pages(host: str | None, origin: str | None) -> None:
    Origins(OPEN).check(host, origin)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("rebound.example", None),
        ("10.0.0.1:18790", None),
        ("127.0.0.1:18790", "http://evil.example"),
        ("127.0.0.1:18790", "http://127.0.0.1:9999"),
        ("127.0.0.1:18790", "null"),
        ("127.0.0.1:18790", "http://["),
        ("127.0.0.1.evil.example", "http://127.0.0.1.evil.example"),
    ],
)
def test_open_server_refuses_other_sites(host: str | None, origin: str | None) -> None:
    with pytest.raises(Forbidden) as refused:
        Origins(OPEN).check(host, origin)
    assert refused.value.code == "origin_refused"


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        (None, None),
        ("10.0.0.1:18790", None),
        ("[2001:db8::1]:18790", "http://[2001:db8::1]:18790"),
        ("gateway.example:443", "https://gateway.example:443"),
        ("a.tenants.example", None),
        ("127.0.0.1:18790", "https://ui.example"),
    ],
)
def test_a_server_with_a_token_answers_under_its_addresses_and_the_names_given(
    host: str | None, origin: str | None
) -> None:
    Origins(TOKEN).check(host, origin)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("any.example", None),
        ("tenants.example", None),
        ("gateway.example.evil.example", None),
        ("127.0.0.1:18790", "http://evil.example"),
        ("gateway.example", "http://evil.example"),
        ("gateway.example", "null"),
        ("", None),
    ],
)
def test_weakness_14_a_token_does_not_open_the_server_to_other_sites(
    host: str | None, origin: str | None
) -> None:
    with pytest.raises(Forbidden):
        Origins(TOKEN).check(host, origin)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        (None, "http://gateway.example"),
        ("gateway.example", None),
        ("gateway.example", "https://ui.example"),
        ("gateway.example", "null"),
    ],
)
def test_cookies_count_from_pages_of_this_server_alone(
    host: str | None, origin: str | None
) -> None:
    with pytest.raises(Forbidden) as refused:
        Origins(TOKEN).check_own(host, origin)
    assert refused.value.code == "cross_site"
    Origins(TOKEN).check_own("gateway.example", "https://gateway.example")


def test_public_open_server_takes_addresses_and_its_name() -> None:
    origins = Origins(Settings(host="gateway.lan", allow_public_without_token=True))
    origins.check("192.168.1.4:18790", None)
    origins.check("gateway.lan:18790", "http://gateway.lan:18790")
    with pytest.raises(Forbidden):
        origins.check("rebound.example", None)


def test_only_configured_sites_may_read_answers() -> None:
    origins = Origins(OPEN)
    assert origins.cors("https://ui.example")["Access-Control-Allow-Origin"] == "https://ui.example"
    assert origins.cors("https://evil.example") == {}
    assert origins.cors(None) == {}
    assert "PUT" in origins.preflight("https://ui.example")["Access-Control-Allow-Methods"]
    assert origins.preflight("https://evil.example") == {}
