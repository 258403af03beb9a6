from collections.abc import Collection
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from goclaw.core.callers import SYSTEM, Scope
from goclaw.core.errors import Conflict, InvalidInput
from goclaw.core.ids import uuid7
from goclaw.core.paging import Page, PageRequest
from goclaw.models.api_keys import ApiKey, ApiKeyCreate, ApiKeyRotate, CreatedApiKey
from goclaw.models.idempotency import IdempotentRequest
from goclaw.models.shapes import now
from goclaw.resolvers.context import Context, found
from goclaw.resolvers.enter import KEYS
from goclaw.resolvers.idempotency import Once
from goclaw.resolvers.operation import operation
from goclaw.security.credentials import NewKey, new_key
from goclaw.store.api_keys import (
    add_key,
    key_to_change,
    keys_bound_to,
    keys_page,
    revoke_key,
    rotate_key,
)
from goclaw.store.api_keys import count_keys as count_all_keys
from goclaw.store.database import Db
from goclaw.store.web_sessions import shorten_web_sessions


@operation(Scope.ADMIN)
async def list_api_keys(ctx: Context, page: PageRequest) -> Page[ApiKey]:
    """Revoked and expired ones too."""
    return await keys_page(ctx.reads, page)


@operation(Scope.ADMIN)
async def get_api_key(ctx: Context, id: UUID) -> ApiKey:
    """Raises NotFound."""
    return found(await ctx.api_keys.load(id), "api_key", id)


@operation(Scope.ADMIN)
async def count_api_keys(ctx: Context) -> int:
    return await count_all_keys(ctx.reads)


@operation(Scope.ADMIN)
async def create_api_key(ctx: Context, data: ApiKeyCreate) -> CreatedApiKey:
    """The secret is told this once; a repeat with the same idempotency key tells it again.
    Raises Conflict when the idempotency key was used for another request, NotFound for an
    unknown agent, InvalidInput for an administrator's key with agents, or a key of the server's
    own.
    """
    if data.user_id == SYSTEM:
        raise InvalidInput("user_reserved", field="user_id", user_id=SYSTEM)
    if data.agent_ids is not None and Scope.ADMIN in data.scopes:
        raise InvalidInput("admin_key_not_bound", field="agent_ids")
    once = Once(ctx, "create_api_key", data.model_dump_json().encode())
    return await once.carry_out(lambda: _make(ctx, once, data), partial(_told_again, ctx, once))


async def _check_agents(ctx: Context, ids: Collection[UUID]) -> None:
    for id, agent in zip(ids, await ctx.agents.load_many(list(ids)), strict=True):
        found(agent, "agent", id)


async def _told_again(ctx: Context, once: Once, kept: IdempotentRequest) -> CreatedApiKey:
    key = found(await ctx.api_keys.load(kept.result_id), "api_key", kept.result_id)
    return _created(key, once.secret(kept))


async def _make(ctx: Context, once: Once, data: ApiKeyCreate) -> CreatedApiKey:
    await _check_agents(ctx, data.agent_ids or ())
    made = new_key()
    key = _row(ctx, data, made)
    async with ctx.db() as db:
        await add_key(db, key)
        await once.keep(db, key.id, made.text)
        ctx.announce(db, "api_key.created", key, name=key.name, scopes=key.scopes, **_bounds(key))
    return _created(key, made.text)


def _bounds(key: ApiKey) -> dict[str, Any]:
    """What the audit says of a key beyond its scopes."""
    bounds = {
        "user_id": key.user_id,
        "agent_ids": [str(id) for id in key.agent_ids or ()],
        "rate_limit_per_minute": key.rate_limit_per_minute,
        "budget_monthly_cents": key.budget_monthly_cents,
        "tokens_per_day": key.tokens_per_day,
    }
    return {name: value for name, value in bounds.items() if value not in (None, [])}


def _row(ctx: Context, data: ApiKeyCreate, made: NewKey) -> ApiKey:
    at = now()
    return ApiKey(
        id=uuid7(),
        name=data.name,
        prefix=made.prefix,
        key_hash=made.hash,
        scopes=list(data.scopes),
        user_id=data.user_id,
        agent_ids=data.agent_ids,
        rate_limit_per_minute=data.rate_limit_per_minute,
        budget_monthly_cents=data.budget_monthly_cents,
        tokens_per_day=data.tokens_per_day,
        expires_at=at + timedelta(seconds=data.expires_in) if data.expires_in else None,
        created_by=ctx.caller.actor,
        created_at=at,
        updated_at=at,
    )


def _created(key: ApiKey, text: str) -> CreatedApiKey:
    return CreatedApiKey(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        key=text,
        scopes=[Scope(scope) for scope in key.scopes],
        user_id=key.user_id,
        agent_ids=key.agent_ids,
        rate_limit_per_minute=key.rate_limit_per_minute,
        budget_monthly_cents=key.budget_monthly_cents,
        tokens_per_day=key.tokens_per_day,
        expires_at=key.expires_at,
        created_at=key.created_at,
    )


@operation(Scope.ADMIN)
async def revoke_api_key(ctx: Context, id: UUID) -> ApiKey:
    """When it returns, no worker accepts the key; also when it was revoked already, since the
    first to do so may still be waiting. Raises NotFound.
    """
    async with ctx.db() as db:
        key = found(await key_to_change(db, id), "api_key", id)
        await _revoke(ctx, db, key)
    return key


@operation(Scope.ADMIN)
async def rotate_api_key(ctx: Context, id: UUID, data: ApiKeyRotate) -> CreatedApiKey:
    """The new secret works at once and is told this once, like that of a new key. The old one
    works until the grace is over; one from an earlier rotation does not any more. So do pages
    that were signed in before the grace was over.

    Raises NotFound, and Conflict for a key that was revoked or has expired.
    """
    once = Once(ctx, "rotate_api_key", f"{id} {data.model_dump_json()}".encode())
    return await once.carry_out(
        lambda: _rotate(ctx, once, id, data), partial(_told_again, ctx, once)
    )


async def _rotate(ctx: Context, once: Once, id: UUID, data: ApiKeyRotate) -> CreatedApiKey:
    made = new_key()
    async with ctx.db() as db:
        key = found(await key_to_change(db, id), "api_key", id)
        if key.revoked:
            raise Conflict("api_key_revoked")
        if key.expires_at is not None and key.expires_at <= now():
            raise Conflict("api_key_expired")
        grace = timedelta(seconds=data.grace_s)
        await rotate_key(db, key, key_hash=made.hash, prefix=made.prefix, grace=grace)
        await shorten_web_sessions(db, id, grace)
        await once.keep(db, key.id, made.text)
        ctx.announce(db, "api_key.rotated", key, name=key.name, grace_s=data.grace_s)
        ctx.outdate(db, KEYS, id)
    ctx.api_keys.clear(id)
    return _created(key, made.text)


async def revoke_keys_of(ctx: Context, user_id: str) -> None:
    """Revokes all keys bound to the user. Part of other operations, which ask for the scope."""
    async with ctx.db() as db:
        for key in await keys_bound_to(db, user_id):
            await _revoke(ctx, db, key)


async def _revoke(ctx: Context, db: Db, key: ApiKey) -> None:
    if not key.revoked:
        await revoke_key(db, key)
        ctx.announce(db, "api_key.revoked", key, name=key.name)
    ctx.outdate(db, KEYS, key.id)
