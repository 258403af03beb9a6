from datetime import datetime
from uuid import UUID

import strawberry

from goclaw.core.callers import Scope
from goclaw.core.paging import page_request
from goclaw.models import api_keys as models
from goclaw.resolvers.api_keys import (
    count_api_keys,
    create_api_key,
    get_api_key,
    list_api_keys,
    revoke_api_key,
    rotate_api_key,
)
from goclaw.schema.connection import DEFAULT_FIRST, After, Connection, First, Listed, listed
from goclaw.schema.field import described, field, input_of, mutation, parse
from goclaw.schema.info import Info, with_key
from goclaw.schema.words import In

WORDS = {
    "name": "What it is for.",
    "scopes": "What it may do.",
    "expires_in": "Seconds from now until it expires; null or 0 is never.",
    "user_id": "The user it acts as, always; null leaves that to each call.",
    "agent_ids": "The only agents it reaches, with their sessions, runs and traces; null is all. "
    "Not for a key with operator.admin.",
    "rate_limit_per_minute": "How many calls a minute it may make; null is the server's limit.",
    "budget_monthly_cents": "What its runs may cost in a month (UTC), in US cents; null is no "
    "limit.",
    "tokens_per_day": "How many tokens its runs may use in a day (UTC); null is no limit.",
    "grace_s": "How many seconds the old secret goes on working, up to 7 days.",
}
IDEMPOTENCY = "A text of your choice: the same text again within a day is not carried out twice."


@strawberry.type(description="A named, scoped, revocable credential. Its secret is not kept.")
class ApiKey:
    id: UUID = described("Its id.")
    name: str = described(WORDS["name"])
    prefix: str = described("The first 8 characters after `goclaw_`, to tell keys apart.")
    scopes: list[Scope] = described(WORDS["scopes"])
    user_id: str | None = described("The user it is bound to.")
    agent_ids: list[UUID] | None = described("The only agents it reaches; null is all.")
    rate_limit_per_minute: int | None = described(WORDS["rate_limit_per_minute"])
    budget_monthly_cents: int | None = described(WORDS["budget_monthly_cents"])
    tokens_per_day: int | None = described(WORDS["tokens_per_day"])
    expires_at: datetime | None = described("When it expires; null is never.")
    previous_until: datetime | None = described(
        "Until when the secret before the last rotation works, or worked."
    )
    last_used_at: datetime | None = described("When it was used last, to a second.")
    last_used_address: str | None = described("The address that call came from.")
    calls_today: int = described("How many calls it made since midnight UTC, to a second.")
    revoked: bool = described("Whether it was revoked.")
    created_by: str = described("Who made it.")
    created_at: datetime = described("When it was made.")
    updated_at: datetime = described("When it was changed last.")


@strawberry.type(description="A key that was just made.")
class CreatedApiKey:
    id: strawberry.Private[UUID]
    key: str = described("What to sign in with. It is shown this once.", name="secret")

    @field(ApiKey, "The key.")
    async def api_key(self, info: Info) -> models.ApiKey:
        return await get_api_key(info.context, self.id)


@input_of(models.ApiKeyCreate, WORDS, "A new key.", names={"expires_in": "expiresInS"})
class CreateApiKeyInput:
    idempotency_key: str | None = described(IDEMPOTENCY, default=None)


@input_of(models.ApiKeyRotate, WORDS, "The key to get a new secret.")
class RotateApiKeyInput:
    id: UUID = described("Its id.")
    idempotency_key: str | None = described(IDEMPOTENCY, default=None)


@strawberry.input(description="The key to revoke.")
class RevokeApiKeyInput:
    id: UUID = described("Its id.")


@strawberry.type
class ApiKeyQuery:
    @field(Connection[ApiKey], "Keys, newest first, revoked and expired ones too.")
    async def api_keys(
        self, info: Info, first: First = DEFAULT_FIRST, after: After = None
    ) -> Listed:
        page = await list_api_keys(info.context, page_request(first, after))
        return listed(page, lambda: count_api_keys(info.context))


@strawberry.type
class ApiKeyMutation:
    @mutation(CreatedApiKey, "Makes a key.")
    async def create_api_key(
        self, info: Info, input: In[CreateApiKeyInput]
    ) -> models.CreatedApiKey:
        ctx = with_key(info.context, input.idempotency_key)
        return await create_api_key(ctx, parse(models.ApiKeyCreate, input))

    @mutation(CreatedApiKey, "Gives a key a new secret; the old one ends when the grace is over.")
    async def rotate_api_key(
        self, info: Info, input: In[RotateApiKeyInput]
    ) -> models.CreatedApiKey:
        ctx = with_key(info.context, input.idempotency_key)
        return await rotate_api_key(ctx, input.id, parse(models.ApiKeyRotate, input))

    @mutation(ApiKey, "Revokes a key at once. Revoking twice is no error.")
    async def revoke_api_key(self, info: Info, input: In[RevokeApiKeyInput]) -> models.ApiKey:
        return await revoke_api_key(info.context, input.id)
