"""Settings of the export of traces to an OpenTelemetry collector."""

import re
from typing import Annotated, Final, Literal
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BaseModel, Field, SecretStr

HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
HEADER_VALUE: Final = re.compile(r"[\x20-\x7e]+")
TRACES_PATH: Final = "/v1/traces"


def collector_address(url: str) -> str:
    """Credentials have a setting of their own, which is kept out of logs."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound or "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("must look like http://127.0.0.1:4318, without user, query and fragment")
    return url


def header_list(headers: SecretStr) -> SecretStr:
    headers_in(headers.get_secret_value())
    return headers


def headers_in(text: str) -> dict[str, str]:
    """`name=value` pairs between commas, values percent-encoded, as OpenTelemetry writes them.
    Raises ValueError, which quotes nothing.
    """
    headers: dict[str, str] = {}
    for place, pair in enumerate(filter(None, map(str.strip, text.split(","))), start=1):
        name, equals, value = (piece.strip() for piece in pair.partition("="))
        value = unquote(value)
        if not (equals and HEADER_NAME.fullmatch(name) and HEADER_VALUE.fullmatch(value)):
            raise ValueError(f"header {place} does not look like name=value")
        headers[name] = value
    return headers


class ExportSettings(BaseModel):
    """A part of `Settings`."""

    otlp_endpoint: Annotated[str, AfterValidator(collector_address)] | None = Field(
        None,
        description="Address of an OpenTelemetry collector that finished traces are sent to, such "
        "as `http://127.0.0.1:4318`; `/v1/traces` is added. Unset: none are sent.",
    )
    otlp_headers: Annotated[SecretStr, AfterValidator(header_list)] | None = Field(
        None,
        description="Headers for the collector, `name=value` and comma separated, values "
        "percent-encoded; where its key goes.",
    )
    otlp_protocol: Literal["http/protobuf", "http/json"] = Field(
        "http/protobuf", description="`http/protobuf` or `http/json`."
    )
    otlp_service_name: str = Field(
        "goclaw", min_length=1, max_length=255, description="Name of this server at the collector."
    )
    otlp_contents: bool = Field(
        False,
        description="Send the beginnings of questions, answers, arguments and results, too, of "
        "agents whose contents are stored.",
    )

    @property
    def traces_url(self) -> str | None:
        """Where traces are posted to."""
        if self.otlp_endpoint is None:
            return None
        return self.otlp_endpoint.rstrip("/").removesuffix(TRACES_PATH) + TRACES_PATH

    @property
    def collector_headers(self) -> dict[str, str]:
        return {} if self.otlp_headers is None else headers_in(self.otlp_headers.get_secret_value())
