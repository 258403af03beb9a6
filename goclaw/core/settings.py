"""Everything that can be configured. The only module that reads the environment."""

import os
import re
import sys
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Annotated, Any, Final, Literal
from urllib.parse import SplitResult, urlsplit

from platformdirs import user_data_path
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

PREFIX: Final = "GOCLAW_"
CONFIG_FILE: Final = "goclaw.toml"
MIN_CONNECTIONS_PER_WORKER: Final = 4

POSTGRES_SCHEMES: Final = frozenset({"postgres", "postgresql"})
REDIS_SCHEMES: Final = frozenset({"redis", "rediss", "unix"})
HOST_AND_PORT: Final = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:\d{1,5})?")

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


def split_commas(value: object) -> object:
    if isinstance(value, str):
        return tuple(part for part in (piece.strip() for piece in value.split(",")) if part)
    return value


def whole_path(path: Path) -> Path:
    return path.expanduser().absolute()


def postgres_address(dsn: SecretStr) -> SecretStr:
    """What the driver takes apart; also with several hosts, and with none for a socket."""
    parts = split_address(dsn, "postgresql://user:password@host:5432/database")
    hosts = parts.netloc.rpartition("@")[2].split(",")
    if parts.scheme not in POSTGRES_SCHEMES or not all(map(HOST_AND_PORT.fullmatch, hosts)):
        raise ValueError("must look like postgresql://user:password@host:5432/database")
    return dsn


def redis_address(url: SecretStr) -> SecretStr:
    parts = split_address(url, "redis://host:6379/0")
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme not in REDIS_SCHEMES or not HOST_AND_PORT.fullmatch(host):
        raise ValueError("must look like redis://host:6379/0")
    return url


def split_address(address: SecretStr, example: str) -> SplitResult:
    try:
        return urlsplit(address.get_secret_value())
    except ValueError as error:
        raise ValueError(f"must look like {example}") from error


def hosts_or_networks(entries: tuple[str, ...]) -> tuple[str, ...]:
    for entry in entries:
        if "/" in entry:
            try:
                ip_network(entry, strict=False)
            except ValueError as error:
                raise ValueError(
                    f"{entry} is neither host, host:port nor network such as 10.1.0.0/16"
                ) from error
    return entries


PostgresAddress = Annotated[SecretStr, AfterValidator(postgres_address)]
RedisAddress = Annotated[SecretStr, AfterValidator(redis_address)]
Folder = Annotated[Path, AfterValidator(whole_path)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_commas)]
Reachable = Annotated[
    tuple[str, ...], NoDecode, BeforeValidator(split_commas), AfterValidator(hosts_or_networks)
]
Prefix = Annotated[str, StringConstraints(pattern=r"^(/[A-Za-z0-9._~-]+)*$")]


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


class Settings(BaseSettings):
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
        None, description="Redis that carries events between replicas; unset: PostgreSQL does."
    )
    encryption_key: SecretStr | None = Field(
        None, description="Key that stored secrets are encrypted with."
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
    forwarded_allow_ips: str = Field(
        "",
        description="Proxies whose X-Forwarded headers are believed; comma separated, `*` for any.",
    )
    allowed_origins: Names = Field(
        (), description="Origins of other sites whose pages may call the server; comma separated."
    )
    max_body_bytes: int = Field(
        20 * 1024 * 1024, gt=0, description="Largest request body, in bytes."
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
