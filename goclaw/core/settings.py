"""Everything that can be configured. The only module that reads the environment."""

import os
import sys
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Any, Final, Literal

from platformdirs import user_data_path
from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from goclaw.core.export_settings import ExportSettings
from goclaw.core.run_settings import RunSettings
from goclaw.core.setting_types import (
    Folder,
    HostNames,
    Names,
    PostgresAddress,
    Prefix,
    Proxies,
    Reachable,
    RedisAddress,
    Secrets,
    SiteOrigins,
)

PREFIX: Final = "GOCLAW_"
CONFIG_FILE: Final = "goclaw.toml"
JOB_CONNECTIONS: Final = 4
"""What a worker's jobs hold: two that hear of new ones, two for statements."""

MIN_CONNECTIONS_PER_WORKER: Final = 4 + JOB_CONNECTIONS
MAX_DAYS: Final = 36_500

MAX_RATE: Final = 1_000_000_000

KEYED_PROVIDERS: Final = (
    "anthropic",
    "bailian",
    "cohere",
    "dashscope",
    "deepseek",
    "gemini",
    "groq",
    "minimax",
    "mistral",
    "ollama_cloud",
    "openai",
    "openrouter",
    "perplexity",
    "xai",
    "zai",
    "zai_coding",
)
"""Vendors whose key is read from `GOCLAW_<NAME>_API_KEY` or, failing that, `<NAME>_API_KEY`."""


class InvalidSettings(Exception):
    """Each line of the text names one variable and what is wrong with it."""


def default_data_dir() -> Path:
    """An ordinary user's own data folder; /var/lib/goclaw for root."""
    if sys.platform == "linux" and os.geteuid() == 0:
        return Path("/var/lib/goclaw")
    return user_data_path("goclaw", appauthor=False)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class ProviderKeys(PydanticBaseSettingsSource):
    """Vendor keys under the names their own tools use; the GOCLAW_ form wins."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {name: provider_key(os.environ, name) for name in KEYED_PROVIDERS}
        keys = {name: key for name, key in found.items() if key}
        return {"provider_keys": keys} if keys else {}


def provider_key(environment: Mapping[str, str], name: str) -> str | None:
    variable = f"{name.upper()}_API_KEY"
    return environment.get(PREFIX + variable) or environment.get(variable)


class Settings(ExportSettings, RunSettings, BaseSettings):
    """Read from arguments, then the environment, then `goclaw.toml` in the working folder."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        toml_file=CONFIG_FILE,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(18790, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    gateway_token: SecretStr | None = Field(
        None,
        description="Token with administrator rights. Without it the server is open, "
        "and then listens on loopback only.",
    )
    api_key: SecretStr | None = Field(
        None, description="Token or API key that `goclaw chat` signs in with."
    )
    owner_ids: Names = Field((), description="User ids that see every row; comma separated.")
    postgres_dsn: PostgresAddress | None = Field(
        None, description="PostgreSQL with pgvector; unset: embedded, in the data folder."
    )
    redis_url: RedisAddress | None = Field(
        None,
        description="Redis that carries events between replicas and counts calls for all; unset: "
        "PostgreSQL carries events, and each worker counts for itself.",
    )
    encryption_key: SecretStr | None = Field(
        None, description="Key that stored secrets are encrypted with."
    )
    old_encryption_keys: Secrets = Field(
        (),
        description="Further keys that stored secrets are read with, such as the one before; "
        "comma separated.",
    )
    data_dir: Folder = Field(
        default_factory=default_data_dir,
        description="Folder of the embedded database; one server at a time uses it.",
    )
    allowed_outbound_hosts: Reachable = Field(
        (),
        description="Hosts (`name`, `name:port`) and networks (`10.1.0.0/16`) on private or "
        "loopback addresses or odd ports that users' URLs may name; comma separated.",
    )
    workers: int = Field(1, ge=1, le=64, description="Worker processes that answer requests.")
    db_connections: int = Field(
        40,
        ge=MIN_CONNECTIONS_PER_WORKER,
        description="Database connections of the whole server, shared out among its workers.",
    )
    statement_cache: bool = Field(
        True, description="Prepared statements; switch off behind PgBouncer."
    )
    path_prefix: Prefix = Field(
        "", description="Path under which a proxy publishes the server, such as `/goclaw`."
    )
    log_format: Literal["json", "console"] = Field(
        "console", description="`console` for people, `json` for machines."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="`debug`, `info`, `warning` or `error`."
    )
    allow_public_without_token: bool = Field(
        False, description="Listen on other addresses than loopback though no token is set."
    )
    forwarded_allow_ips: Proxies = Field(
        (),
        description="Proxies whose X-Forwarded headers are believed: addresses and networks, "
        "comma separated; `*` for whoever connects.",
    )
    allowed_origins: SiteOrigins = Field(
        (), description="Origins of other sites whose pages may call the server; comma separated."
    )
    allowed_hosts: HostNames = Field(
        (),
        description="Names under which clients reach the server, besides addresses and "
        "`localhost`; comma separated, `*.example.com` for all below.",
    )
    tls_certificate: Folder | None = Field(
        None, description="File with the certificate chain (PEM); the server then speaks https."
    )
    tls_key: Folder | None = Field(
        None, description="File with the private key (PEM) of the certificate, not encrypted."
    )
    max_body_bytes: int = Field(
        20 * 1024 * 1024, gt=0, description="Largest request body, in bytes."
    )
    keep_events_days: int = Field(
        7, ge=1, le=MAX_DAYS, description="Days that the event log is kept."
    )
    keep_sessions_days: int | None = Field(
        None,
        ge=1,
        le=MAX_DAYS,
        description="Days that a session and its messages are kept after they were last used; "
        "unset: for ever.",
    )
    keep_traces_days: int | None = Field(
        None, ge=1, le=MAX_DAYS, description="Days that traces and spans are kept; unset: for ever."
    )
    keep_runs_days: int | None = Field(
        None,
        ge=32,
        le=MAX_DAYS,
        description="Days that runs are kept, 32 at least as monthly budgets read them; their "
        "costs are kept by the hour. Unset: for ever.",
    )
    keep_activity_days: int | None = Field(
        None, ge=1, le=MAX_DAYS, description="Days that the activity log is kept; unset: for ever."
    )
    retention_hour: int = Field(
        3, ge=0, le=23, description="Hour of the day, in UTC, after which old data is deleted."
    )
    max_header_bytes: int = Field(
        64 * 1024, ge=4096, description="Largest head of a request (line and headers), in bytes."
    )
    max_query_bytes: int = Field(
        16 * 1024, gt=0, description="Longest query string of a URL, in bytes."
    )
    rate_per_address: int = Field(
        6000, ge=0, le=MAX_RATE, description="Calls a minute from one address; 0 for any number."
    )
    rate_per_credential: int = Field(
        6000,
        ge=0,
        le=MAX_RATE,
        description="Calls a minute with one credential that has no limit of its own; "
        "0 for any number.",
    )
    rate_per_user: int = Field(
        3000, ge=0, le=MAX_RATE, description="Calls a minute for one user; 0 for any number."
    )
    failures_per_address: int = Field(
        20,
        ge=0,
        le=MAX_RATE,
        description="Refused credentials a minute after which an address has to wait; "
        "0 for any number.",
    )
    connections_per_address: int = Field(
        1000, ge=0, description="Connections of one address at a worker; 0 for any number."
    )
    sockets_per_address: int = Field(
        500, ge=0, description="Open WebSockets of one address at a worker; 0 for any number."
    )
    sockets_per_credential: int = Field(
        500, ge=0, description="Open WebSockets of one credential at a worker; 0 for any number."
    )
    subscriptions_per_address: int = Field(
        1000, ge=0, description="Open subscriptions of one address at a worker; 0 for any number."
    )
    subscriptions_per_credential: int = Field(
        1000,
        ge=0,
        description="Open subscriptions of one credential at a worker; 0 for any number.",
    )
    header_timeout_s: int = Field(
        10, gt=0, description="Seconds in which the head of a request has to arrive."
    )
    body_timeout_s: int = Field(
        30, gt=0, description="Longest pause between two pieces of a request's body, in seconds."
    )
    write_timeout_s: int = Field(
        60, gt=0, description="Seconds after which a client that reads nothing is given up."
    )
    keep_alive_s: int = Field(
        75, gt=0, description="Seconds that an idle connection is kept open for another request."
    )
    session_idle_s: int = Field(
        12 * 3600, gt=0, description="Seconds without use after which the page signs out."
    )
    session_max_age_s: int = Field(
        7 * 86400, gt=0, description="Seconds after which the page signs out in any case."
    )
    sessions_per_credential: int = Field(
        100, gt=0, description="Signed-in pages of one credential; the oldest is signed out."
    )
    shutdown_grace_s: int = Field(
        30, ge=0, description="Seconds that open requests may take to finish when stopping."
    )
    local_model: bool = Field(True, description="Offer the embedded model as provider `local`.")
    provider_keys: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="Provider keys by vendor. In the environment each has a variable of its own: "
        "`GOCLAW_OPENAI_API_KEY` or `OPENAI_API_KEY`, and so on.",
    )

    @property
    def is_open(self) -> bool:
        """No gateway token: whoever reaches the server may use it."""
        return self.gateway_token is None

    @property
    def scheme(self) -> str:
        return "http" if self.tls_certificate is None else "https"

    @model_validator(mode="after")
    def _certificate_with_key(self) -> "Settings":
        if (self.tls_certificate is None) != (self.tls_key is None):
            missing = "TLS_KEY" if self.tls_key is None else "TLS_CERTIFICATE"
            raise ValueError(f"{PREFIX}{missing}: a certificate and its key belong together")
        return self

    @model_validator(mode="after")
    def _connections_for_each_worker(self) -> "Settings":
        needed = MIN_CONNECTIONS_PER_WORKER * self.workers
        if self.db_connections < needed:
            raise ValueError(
                f"GOCLAW_DB_CONNECTIONS: {self.workers} workers need at least {needed}"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (
            init_settings,
            env_settings,
            ProviderKeys(settings_cls),
            TomlConfigSettingsSource(settings_cls),
        )


def load_settings(**arguments: object) -> Settings:
    """Arguments that are None were not given. Raises InvalidSettings."""
    given: dict[str, Any] = {name: value for name, value in arguments.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        lines = (_line(item["loc"], item["msg"], item["type"]) for item in error.errors())
        raise InvalidSettings("\n".join(lines)) from error
    except TOMLDecodeError as error:
        raise InvalidSettings(f"{CONFIG_FILE}: {error}") from error


def refuse_open_address(settings: Settings) -> None:
    """Raises InvalidSettings when strangers could use the server."""
    if not settings.is_open or is_loopback(settings.host) or settings.allow_public_without_token:
        return
    raise InvalidSettings(
        f"GOCLAW_HOST: {settings.host} can be reached from other machines and no "
        "GOCLAW_GATEWAY_TOKEN is set; set one, or pass --allow-public-without-token"
    )


def _line(location: tuple[int | str, ...], message: str, kind: str) -> str:
    message = message.removeprefix("Value error, ")
    if not location:
        return message
    name = str(location[0])
    if kind == "extra_forbidden":
        return f"{CONFIG_FILE}: {name} is not a setting"
    return f"{PREFIX}{name.upper()}: {message[0].lower()}{message[1:]}"
