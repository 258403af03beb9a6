"""From a provider's row to a client that can talk to it."""

from typing import Final
from uuid import UUID

from goclaw.core.errors import Unavailable
from goclaw.core.host import Host
from goclaw.models.providers import Provider, ProviderSource
from goclaw.models.sealed import SealedColumn
from goclaw.providers.client import ModelClient
from goclaw.providers.config import ProviderConfig
from goclaw.providers.registry import open_client
from goclaw.runtime.patience import PatientClient
from goclaw.security.outbound import OutboundClient
from goclaw.security.scrub import Scrubber
from goclaw.security.vault import Vault
from goclaw.store.targets import TargetProvider

MAX_CLIENTS: Final = 256


class ModelClients:
    """Keeps the clients it opened, so that a key is deciphered once for each change of its row."""

    def __init__(
        self, host: Host, vault: Vault, outbound: OutboundClient, scrubber: Scrubber
    ) -> None:
        self._host = host
        self._vault = vault
        self._outbound = outbound
        self._scrubber = scrubber
        self._open: dict[UUID, tuple[object, ModelClient]] = {}

    def client_of(self, provider: Provider | TargetProvider) -> ModelClient:
        """Raises Unavailable when the key cannot be read or the embedded model is missing."""
        kept = self._open.get(provider.id)
        if kept is not None and kept[0] == provider.updated_at:
            return kept[1]
        client = open_client(self._config(provider), self._outbound)
        if provider.source == ProviderSource.EMBEDDED:
            client = PatientClient(client)
        if len(self._open) >= MAX_CLIENTS:
            self._open.clear()
        self._open[provider.id] = (provider.updated_at, client)
        return client

    def _config(self, provider: Provider | TargetProvider) -> ProviderConfig:
        if provider.source == ProviderSource.EMBEDDED:
            return self._embedded(provider.name)
        return ProviderConfig(
            name=provider.name,
            type=provider.provider_type,
            api_base=provider.api_base or "",
            api_key=self._key(provider),
            settings=provider.settings,
            scrub=self._scrubber.scrub,
        )

    def _embedded(self, name: str) -> ProviderConfig:
        model = self._host.local_model
        if model is None:
            raise Unavailable("local_model_missing", reason=self._host.local_model_missing)
        return ProviderConfig(name, "local", model.base_url, model.api_key)

    def _key(self, provider: Provider | TargetProvider) -> str:
        if provider.source == ProviderSource.ENVIRONMENT:
            key = self._host.settings.provider_keys.get(provider.name.replace("-", "_"))
            return "" if key is None else key.get_secret_value()
        if provider.api_key is None:
            return ""
        secret = self._vault.open(provider.api_key, SealedColumn.PROVIDER_KEY, provider.id)
        self._scrubber.secrets.learn(secret)
        return secret
