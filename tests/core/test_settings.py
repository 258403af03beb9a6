"""Settings: where they come from, what is refused, and that docs/settings.md lists them all."""

import os
import pickle
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from goclaw.core.settings import (
    KEYED_PROVIDERS,
    InvalidSettings,
    Settings,
    is_loopback,
    load_settings,
    refuse_open_address,
)

TABLE = Path(__file__).parents[2] / "docs" / "settings.md"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith("GOCLAW_") or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def documented_rows() -> dict[str, str]:
    lines = TABLE.read_text().splitlines()
    rows = [line for line in lines if line.startswith("| `")]
    return {row.split("`")[1]: row for row in rows}


def expected_row(name: str) -> str:
    field = Settings.model_fields[name]
    return f"| `{name}` | {variable(name)} | {default(name)} | {field.description} |"


def variable(name: str) -> str:
    return "see below" if name == "provider_keys" else f"`GOCLAW_{name.upper()}`"


def default(name: str) -> str:
    value = Settings.model_fields[name].default
    if name == "data_dir":
        return "the user's data folder; `/var/lib/goclaw` for root"
    if value is PydanticUndefined or value in (None, "", ()):
        return ""
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"


def test_every_setting_is_documented_as_the_class_has_it() -> None:
    rows = documented_rows()
    for name in Settings.model_fields:
        assert rows.get(name) == expected_row(name)


def test_nothing_else_is_documented() -> None:
    assert set(documented_rows()) == set(Settings.model_fields)


def test_every_vendor_with_a_key_variable_is_documented() -> None:
    text = TABLE.read_text()
    assert [name for name in KEYED_PROVIDERS if f"`{name}`" not in text] == []


def test_defaults_are_safe() -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 18790, 1)
    assert settings.is_open
    assert settings.provider_keys == {}


def test_environment_beats_file_and_arguments_beat_both(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "goclaw.toml").write_text('port = 1\nworkers = 2\nlog_format = "json"\n')
    monkeypatch.setenv("GOCLAW_PORT", "2")
    monkeypatch.setenv("GOCLAW_WORKERS", "3")
    settings = load_settings(port=4, workers=None)
    assert (settings.port, settings.workers, settings.log_format) == (4, 3, "json")


def test_names_come_separated_by_commas(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "goclaw.toml").write_text('allowed_outbound_hosts = ["a", "b:1"]\n')
    monkeypatch.setenv("GOCLAW_OWNER_IDS", " ada , bob,, ")
    settings = load_settings()
    assert settings.owner_ids == ("ada", "bob")
    assert settings.allowed_outbound_hosts == ("a", "b:1")


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOCLAW_GATEWAY_TOKEN", "")
    monkeypatch.setenv("OPENAI_API_KEY", "")
    settings = load_settings()
    assert settings.gateway_token is None
    assert settings.provider_keys == {}


def test_the_home_folder_is_written_out() -> None:
    assert load_settings(data_dir="~/here").data_dir == Path.home() / "here"


def test_vendor_keys_and_the_goclaw_form_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "goclaw.toml").write_text('[provider_keys]\nxai = "x-file"\n')
    monkeypatch.setenv("OPENAI_API_KEY", "o-1")
    monkeypatch.setenv("GROQ_API_KEY", "g-1")
    monkeypatch.setenv("GOCLAW_GROQ_API_KEY", "g-2")
    keys = load_settings().provider_keys
    assert {name: key.get_secret_value() for name, key in keys.items()} == {
        "openai": "o-1",
        "groq": "g-2",
        "xai": "x-file",
    }


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "GATEWAY_TOKEN",
        "ENCRYPTION_KEY",
        "OLD_ENCRYPTION_KEYS",
        "API_KEY",
        "OPENAI_API_KEY",
    ):
        monkeypatch.setenv(f"GOCLAW_{name}", "hush-hush")
    monkeypatch.setenv("GOCLAW_POSTGRES_DSN", "postgresql://u:hush-hush@h/goclaw")
    monkeypatch.setenv("GOCLAW_REDIS_URL", "redis://:hush-hush@h/0")
    settings = load_settings()
    assert "hush" not in f"{settings!r} {settings} {settings.model_dump_json()}"
    assert pickle.loads(pickle.dumps(settings)) == settings


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("GOCLAW_PORT", "seventy", "valid integer"),
        ("GOCLAW_PORT", "70000", "less than or equal to 65535"),
        ("GOCLAW_WORKERS", "0", "greater than or equal to 1"),
        ("GOCLAW_STATEMENT_CACHE", "maybe", "valid boolean"),
        ("GOCLAW_LOG_FORMAT", "xml", "'json' or 'console'"),
        ("GOCLAW_PATH_PREFIX", "goclaw/", "should match pattern"),
        ("GOCLAW_MAX_BODY_BYTES", "-1", "greater than 0"),
    ],
)
def test_a_bad_value_gives_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidSettings) as refused:
        load_settings()
    text = str(refused.value)
    assert text.startswith(f"{variable}: ")
    assert said in text
    assert "\n" not in text


def test_connections_must_suffice_for_the_workers() -> None:
    with pytest.raises(InvalidSettings, match=r"^GOCLAW_DB_CONNECTIONS: 8 workers need"):
        load_settings(workers=8, db_connections=63)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prot = 1\n", "^goclaw.toml: prot is not a setting$"),
        ("port = \n", "^goclaw.toml: "),
        ('port = "x"\n', "^GOCLAW_PORT: "),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "goclaw.toml").write_text(text)
    with pytest.raises(InvalidSettings, match=said):
        load_settings()


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("example.com", False),
    ],
)
def test_which_addresses_are_loopback(host: str, local: bool) -> None:
    assert is_loopback(host) is local


def test_an_open_server_stays_on_loopback() -> None:
    with pytest.raises(InvalidSettings, match=r"^GOCLAW_HOST: 0.0.0.0 can be reached"):
        refuse_open_address(load_settings(host="0.0.0.0"))
    refuse_open_address(load_settings(host="0.0.0.0", gateway_token="t"))
    refuse_open_address(load_settings(host="0.0.0.0", allow_public_without_token=True))
    refuse_open_address(load_settings())


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://ada:s%40cret@db.example:5432/goclaw?sslmode=require",
        "postgres://[::1]:5432/goclaw",
        "postgresql://one:5432,two:5433/goclaw",
        "postgresql://postgres@/goclaw?host=%2Frun%2Fpostgresql",
    ],
)
def test_database_addresses(dsn: str) -> None:
    assert load_settings(postgres_dsn=dsn).postgres_dsn is not None


@pytest.mark.parametrize(
    "dsn",
    ["hush", "mysql://u:hush@h/x", "postgresql://u:hush@h:x/x", "postgresql://u:hush@[/x",
     "host=h password=hush"],
)  # fmt: skip
def test_what_is_no_database_address(dsn: str) -> None:
    with pytest.raises(InvalidSettings, match=r"^GOCLAW_POSTGRES_DSN: must look like") as caught:
        load_settings(postgres_dsn=dsn)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("url", ["hush:6379", "http://h:6379", "redis://h:x/0", "redis://[/0"])
def test_what_is_no_redis_address(url: str) -> None:
    with pytest.raises(InvalidSettings, match=r"^GOCLAW_REDIS_URL: must look like"):
        load_settings(redis_url=url)
    assert load_settings(redis_url="redis://:hush@h:6379/0").redis_url is not None


def test_a_network_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOCLAW_ALLOWED_OUTBOUND_HOSTS", "box.local, 10.0.0.0/33")
    with pytest.raises(InvalidSettings) as caught:
        load_settings()
    assert str(caught.value).startswith("GOCLAW_ALLOWED_OUTBOUND_HOSTS: 10.0.0.0/33 is neither")
    monkeypatch.setenv("GOCLAW_ALLOWED_OUTBOUND_HOSTS", "10.0.0.0/8,fd00::/8,box.local:1")
    assert load_settings().allowed_outbound_hosts == ("10.0.0.0/8", "fd00::/8", "box.local:1")
