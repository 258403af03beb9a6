"""What a setting may be: the forms of addresses, hosts, lists, as pydantic checks them."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr, StringConstraints
from pydantic_settings import NoDecode

from goclaw.core.tool_names import is_known

POSTGRES_SCHEMES: Final = frozenset({"postgres", "postgresql"})
REDIS_SCHEMES: Final = frozenset({"redis", "rediss", "unix"})
HOST_AND_PORT: Final = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:\d{1,5})?")

HOST_NAME: Final = re.compile(r"(\*\.)?[A-Za-z0-9._-]+|\[?[0-9A-Fa-f:.]+\]?")
ORIGIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#\s]+/?")


def split_commas(value: object) -> object:
    if isinstance(value, str):
        return tuple(part for part in (piece.strip() for piece in value.split(",")) if part)
    return value


def network(name: str) -> IPv4Network | IPv6Network:
    """An address counts as a network of one. Raises ValueError."""
    return ip_network(name, strict=False)


def proxies(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name != "*":
            try:
                network(name)
            except ValueError:
                raise ValueError(f"{name} is neither an IP address nor a network") from None
    return names


def host_names(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not HOST_NAME.fullmatch(name):
            raise ValueError(f"{name} is not a host name; write it without scheme and path")
    return names


def tool_entries(entries: tuple[str, ...]) -> tuple[str, ...]:
    for entry in entries:
        if not is_known(entry):
            raise ValueError(f"{entry} is no tool, group or pattern that is known here")
    return entries


def site_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    for origin in origins:
        if not ORIGIN.fullmatch(origin):
            raise ValueError(f"{origin} is not an origin such as https://app.example.com")
    return origins


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
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(split_commas)]
Proxies = Annotated[Names, AfterValidator(proxies)]
HostNames = Annotated[Names, AfterValidator(host_names)]
SiteOrigins = Annotated[Names, AfterValidator(site_origins)]
Reachable = Annotated[Names, AfterValidator(hosts_or_networks)]
ToolEntries = Annotated[Names, AfterValidator(tool_entries)]
Prefix = Annotated[str, StringConstraints(pattern=r"^(/[A-Za-z0-9._~-]+)*$")]
