from time import monotonic
from uuid import UUID

from goclaw.core.callers import Scope
from goclaw.core.errors import GatewayError, InvalidInput, Unavailable
from goclaw.core.ids import uuid7
from goclaw.core.paging import Page, PageRequest
from goclaw.core.reasons import Reason
from goclaw.models.providers import (
    Provider,
    ProviderCreate,
    ProviderHealth,
    ProviderModelView,
    ProviderPatch,
    ProviderType,
    ProviderVerification,
)
from goclaw.models.sealed import SealedColumn
from goclaw.resolvers.context import Context, found
from goclaw.resolvers.operation import operation
from goclaw.resolvers.refs import Ref, changeable_provider, provider_named
from goclaw.store.providers import count_providers as count_all_providers
from goclaw.store.providers import providers_page, remove_provider, save_provider


@operation(Scope.READ)
async def get_provider(ctx: Context, id: Ref) -> Provider:
    return await provider_named(ctx, id)


@operation(Scope.READ)
async def list_providers(ctx: Context, page: PageRequest) -> Page[Provider]:
    return await providers_page(ctx.reads, page)


@operation(Scope.READ)
async def count_providers(ctx: Context) -> int:
    return await count_all_providers(ctx.reads)


@operation(Scope.WRITE, bound=False)
async def create_provider(ctx: Context, data: ProviderCreate) -> Provider:
    """Raises Conflict for a taken name, InvalidInput for an address that may not be reached,
    Unavailable when there is no key to encrypt with.
    """
    _check(ctx, data.provider_type, data.api_base)
    provider = Provider(
        **data.model_dump(exclude={"api_key"}), id=uuid7(), created_by=ctx.caller.actor
    )
    if data.api_key is not None:
        provider.api_key = _sealed(ctx, provider.id, data.api_key.get_secret_value())
    async with ctx.db() as db:
        await save_provider(db, provider)
        ctx.announce(db, "provider.created", provider, name=provider.name)
    return found(await ctx.providers.load(provider.id), "provider", provider.id)


@operation(Scope.WRITE, bound=False)
async def update_provider(ctx: Context, id: UUID, changes: ProviderPatch) -> Provider:
    """A null `api_key` forgets it. Raises NotFound, Conflict for a taken name or a read-only
    provider, InvalidInput when `api_base` changes without the key.
    """
    values = changes.changes()
    key = values.pop("api_key", None)
    async with ctx.db() as db:
        provider = await changeable_provider(db, id)
        _guard_key(provider, changes)
        provider.sqlmodel_update(values)
        _check(ctx, provider.provider_type, provider.api_base)
        if "api_key" in changes.model_fields_set:
            provider.api_key = None if key is None else _sealed(ctx, id, key.get_secret_value())
        else:
            provider.api_key = _renewed(ctx, provider)
        await save_provider(db, provider)
        changed = sorted(changes.model_fields_set)
        ctx.announce(db, "provider.updated", provider, name=provider.name, changed=changed)
    ctx.providers.clear(id)
    return found(await ctx.providers.load(id), "provider", id)


@operation(Scope.WRITE, bound=False)
async def delete_provider(ctx: Context, id: UUID) -> UUID:
    """Raises NotFound, Conflict for a read-only provider or one that agents use."""
    async with ctx.db() as db:
        provider = await changeable_provider(db, id)
        await remove_provider(db, provider)
        ctx.announce(db, "provider.deleted", provider, name=provider.name)
    ctx.providers.clear(id)
    return id


@operation(Scope.READ)
async def list_models(ctx: Context, id: Ref) -> list[ProviderModelView]:
    """Asks the vendor. Raises NotFound, UpstreamFailed, UpstreamTimeout, Unavailable."""
    client = ctx.services.clients.client_of(await provider_named(ctx, id))
    return [ProviderModelView(id=model.id, name=model.name) for model in await client.models()]


@operation(Scope.READ)
async def get_provider_health(ctx: Context, id: Ref) -> ProviderHealth:
    """What the answering worker has seen of it; asks nobody. Raises NotFound."""
    return ctx.services.clients.health_of(await provider_named(ctx, id))


@operation(Scope.WRITE, bound=False)
async def verify_provider(ctx: Context, id: Ref, model: str) -> ProviderVerification:
    """Asks the model for a few tokens; a refusal is an answer, not an error. Raises NotFound."""
    provider = await provider_named(ctx, id)
    if not model:
        raise InvalidInput("required", field="model")
    began = monotonic()
    problem = None
    try:
        await ctx.services.clients.client_of(provider).verify(model)
    except GatewayError as error:
        problem = error.text(ctx.locale)
    latency_ms = int((monotonic() - began) * 1000)
    return ProviderVerification(valid=problem is None, error=problem, latency_ms=latency_ms)


def _check(ctx: Context, provider_type: ProviderType, api_base: str | None) -> None:
    if provider_type == ProviderType.LOCAL:
        raise InvalidInput("invalid_input", field="provider_type", reason=Reason("local_provider"))
    if api_base:
        ctx.services.outbound.check_url(api_base, "api_base")


def _guard_key(provider: Provider, changes: ProviderPatch) -> None:
    """A stored key must not follow to an address its owner did not choose."""
    moved = any(
        name in changes.model_fields_set and getattr(changes, name) != getattr(provider, name)
        for name in ("api_base", "provider_type")
    )
    if moved and provider.has_api_key and "api_key" not in changes.model_fields_set:
        raise InvalidInput("provider_key_required", field="api_key")


def _sealed(ctx: Context, id: UUID, key: str) -> str:
    if not key:
        raise InvalidInput("invalid_input", field="api_key", reason="must not be empty")
    return ctx.services.vault.seal(key, SealedColumn.PROVIDER_KEY, id)


def _renewed(ctx: Context, provider: Provider) -> str | None:
    """Sealed with the newest key. What cannot be read stays, for the day its key is back."""
    sealed, vault = provider.api_key, ctx.services.vault
    try:
        if sealed is None or vault.is_current(sealed):
            return sealed
        key = vault.open(sealed, SealedColumn.PROVIDER_KEY, provider.id)
        return vault.seal(key, SealedColumn.PROVIDER_KEY, provider.id)
    except Unavailable:
        return sealed
