"""From a provider's row to a client that can talk to it."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from goclaw.core.callers import system_caller
from goclaw.core.errors import NotFound, Unavailable, UpstreamFailed
from goclaw.core.host import Host
from goclaw.core.provider_settings import ProviderSettings, read_settings
from goclaw.models.providers import Provider, ProviderHealth, ProviderSource
from goclaw.models.sealed import SealedColumn
from goclaw.providers.client import ModelClient
from goclaw.providers.config import ProviderConfig
from goclaw.providers.registry import open_client
from goclaw.runtime.breaker import Breaker
from goclaw.runtime.fallback import FallbackClient
from goclaw.runtime.patience import PatientClient
from goclaw.runtime.retries import RetryingClient
from goclaw.security.outbound import OutboundClient
from goclaw.security.scrub import Scrubber
from goclaw.security.vault import Vault
from goclaw.store.database import Database
from goclaw.store.providers import provider_by_name
from goclaw.store.targets import TargetProvider

MAX_CLIENTS: Final = 256
EMBEDDED: Final = ProviderSettings(max_attempts=1, breaker_failures=0)
"""It is waited for while it starts, and its own process sees that it comes back."""

AnyProvider = Provider | TargetProvider


@dataclass(frozen=True, slots=True)
class _Opened:
    """`client` follows the provider's fallbacks, `alone` does not."""

    updated_at: object
    client: ModelClient
    alone: ModelClient
    breaker: Breaker


class ModelClients:
    """Keeps the clients it opened, so that a key is deciphered once for each change of its row.
    A changed row begins with a closed breaker.
    """

    def __init__(
        self,
        host: Host,
        vault: Vault,
        outbound: OutboundClient,
        scrubber: Scrubber,
        database: Database,
    ) -> None:
        self._host = host
        self._vault = vault
        self._outbound = outbound
        self._scrubber = scrubber
        self._database = database
        self._open: dict[UUID, _Opened] = {}

    def client_of(self, provider: AnyProvider) -> ModelClient:
        """Raises Unavailable when the key cannot be read or the embedded model is missing."""
        kept = self._open.get(provider.id)
        if kept is not None and kept.updated_at == provider.updated_at:
            return kept.client
        return self._opened(provider).client

    def health_of(self, provider: AnyProvider) -> ProviderHealth:
        kept = self._open.get(provider.id)
        if kept is None or kept.updated_at != provider.updated_at:
            return Breaker(provider.name, ProviderSettings()).health()
        return kept.breaker.health()

    def breakers(self) -> dict[str, Breaker]:
        """By the names of their providers."""
        return {kept.alone.name: kept.breaker for kept in self._open.values()}

    async def _link(self, name: str) -> ModelClient:
        """A client for a fallback. Raises NotFound, Unavailable, UpstreamFailed."""
        provider = await provider_by_name(self._database.reads(system_caller()), name)
        if provider is None:
            raise NotFound("provider_not_found", id=name)
        if not provider.enabled:
            raise Unavailable("provider_disabled", name=name)
        self.client_of(provider)
        return self._open[provider.id].alone

    def _opened(self, provider: AnyProvider) -> _Opened:
        config = self._config(provider)
        client: ModelClient = open_client(config, self._outbound)
        breaker = Breaker(provider.name, config.settings)
        if provider.source == ProviderSource.EMBEDDED:
            client = PatientClient(client)
        client = alone = RetryingClient(client, config.type, config.settings, breaker)
        if config.settings.fallback:
            client = FallbackClient(client, config.settings, self._link)
        opened = _Opened(provider.updated_at, client, alone, breaker)
        self._open.pop(provider.id, None)
        if len(self._open) >= MAX_CLIENTS:
            self._open.pop(next(iter(self._open)))
        self._open[provider.id] = opened
        return opened

    def _config(self, provider: AnyProvider) -> ProviderConfig:
        if provider.source == ProviderSource.EMBEDDED:
            return self._embedded(provider.name)
        return ProviderConfig(
            name=provider.name,
            type=provider.provider_type,
            api_base=provider.api_base or "",
            api_key=self._key(provider),
            settings=_settings(provider),
            scrub=self._scrubber.scrub,
        )

    def _embedded(self, name: str) -> ProviderConfig:
        model = self._host.local_model
        if model is None:
            raise Unavailable("local_model_missing", reason=self._host.local_model_missing)
        return ProviderConfig(name, "local", model.base_url, model.api_key, EMBEDDED)

    def _key(self, provider: Provider | TargetProvider) -> str:
        if provider.source == ProviderSource.ENVIRONMENT:
            key = self._host.settings.provider_keys.get(provider.name.replace("-", "_"))
            return "" if key is None else key.get_secret_value()
        if provider.api_key is None:
            return ""
        secret = self._vault.open(provider.api_key, SealedColumn.PROVIDER_KEY, provider.id)
        self._scrubber.secrets.learn(secret)
        return secret


def _settings(provider: AnyProvider) -> ProviderSettings:
    """They were checked when they were written, though perhaps by an older server."""
    try:
        return read_settings(provider.settings)
    except ValueError as error:
        reason = str(error)
    raise UpstreamFailed("provider_settings_invalid", name=provider.name, reason=reason)
