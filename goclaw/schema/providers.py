from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from goclaw.core.paging import page_request
from goclaw.models import providers as models
from goclaw.resolvers.providers import (
    count_providers,
    create_provider,
    delete_provider,
    get_provider,
    get_provider_health,
    list_models,
    list_providers,
    update_provider,
    verify_provider,
)
from goclaw.schema.connection import DEFAULT_FIRST, After, Connection, First, Listed, listed
from goclaw.schema.field import described, field, input_of, mutation, parse
from goclaw.schema.info import Info
from goclaw.schema.scalars import JSON
from goclaw.schema.words import Deleted, Gone, Id, In

WORDS = {
    "name": "Unique: lowercase letters, digits and hyphens.",
    "display_name": "The name shown to people.",
    "provider_type": "What it speaks.",
    "api_base": "Its address; null is the vendor's own. A new address needs the key again.",
    "api_key": "The vendor's key. It is stored encrypted and never shown again.",
    "enabled": "Whether agents may use it.",
    "settings": "Its limits, retries, caching, fallbacks and circuit breaker.",
}


@strawberry.type(description="A model a vendor offers.")
class ProviderModel:
    id: str = described("What to give as an agent's model.")
    name: str | None = described("The name shown to people.")


@strawberry.type(description="What the worker that answers has lately seen of a provider.")
class ProviderHealth:
    state: models.BreakerState = described("Whether calls go through.")
    failures: int = described("Failures that count at the moment.")
    times_opened: int = described("How often calls were stopped since the last change.")
    last_error: str | None = described("The code of the last failure that counted.")
    retry_after_s: int | None = described("Seconds until a call is let through again; null if now.")


@strawberry.type(description="Where models are reached: a vendor, an address, a key.")
class Provider:
    id: UUID = described("Its id.")
    name: str = described(WORDS["name"])
    display_name: str | None = described(WORDS["display_name"])
    provider_type: models.ProviderType = described(WORDS["provider_type"])
    source: models.ProviderSource = described("Where it comes from.")
    api_base: str | None = described("Its address; null is the vendor's own.")
    has_api_key: bool = described("Whether a key is stored.")
    enabled: bool = described(WORDS["enabled"])
    settings: JSON = described(WORDS["settings"])
    created_at: datetime = described("When it was made.")
    updated_at: datetime = described("When it was changed last.")

    @field(ProviderHealth, "Whether it answers, as far as the worker that answers knows.")
    async def health(self, info: Info) -> models.ProviderHealth:
        return await get_provider_health(info.context, self.id)

    @field(list[ProviderModel], "The models it offers. Asks the vendor, so it is slow.")
    async def models(self, info: Info) -> list[models.ProviderModelView]:
        return await list_models(info.context, self.id)


@strawberry.type(description="Whether a provider works.")
class ProviderVerification:
    valid: bool = described("The model answered.")
    error: str | None = described("Why it did not.")
    latency_ms: int = described("How long it took, in milliseconds.")


@input_of(models.ProviderCreate, WORDS, "A new provider.")
class CreateProviderInput:
    pass


@input_of(
    models.ProviderPatch,
    WORDS,
    "Changes to a provider: what is absent stays, null clears.",
    leave_out=frozenset({"provider_type"}),
)
class UpdateProviderInput:
    id: UUID = described("The provider to change.")


@strawberry.input(description="The provider to delete.")
class DeleteProviderInput:
    id: UUID = described("Its id.")


@strawberry.input(description="The provider and model to try.")
class VerifyProviderInput:
    id: UUID = described("The provider.")
    model: str = described("The model that is asked for a few tokens.")


@strawberry.type
class ProviderQuery:
    @field(Connection[Provider], "Providers, newest first.")
    async def providers(
        self, info: Info, first: First = DEFAULT_FIRST, after: After = None
    ) -> Listed:
        page = await list_providers(info.context, page_request(first, after))
        return listed(page, lambda: count_providers(info.context))

    @field(Provider, "One provider.")
    async def provider(self, info: Info, id: Id) -> models.Provider:
        return await get_provider(info.context, id)


@strawberry.type
class ProviderMutation:
    @mutation(Provider, "Adds a provider.")
    async def create_provider(self, info: Info, input: In[CreateProviderInput]) -> models.Provider:
        return await create_provider(info.context, parse(models.ProviderCreate, input))

    @mutation(Provider, "Changes a provider.")
    async def update_provider(self, info: Info, input: In[UpdateProviderInput]) -> models.Provider:
        changes = parse(models.ProviderPatch, input)
        return await update_provider(info.context, input.id, changes)

    @mutation(Deleted, "Deletes a provider that no agent uses.")
    async def delete_provider(self, info: Info, input: In[DeleteProviderInput]) -> Gone:
        return Gone(await delete_provider(info.context, input.id))

    @mutation(ProviderVerification, "Asks a model for a few tokens, to see whether it works.")
    async def verify_provider(self, info: Info, input: In[VerifyProviderInput]) -> Any:
        return await verify_provider(info.context, input.id, input.model)
