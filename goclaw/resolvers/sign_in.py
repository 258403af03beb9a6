"""Signing in from the page, and what comes of it."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from goclaw.core.callers import Scope
from goclaw.core.errors import InvalidInput
from goclaw.core.ids import uuid7
from goclaw.core.paging import Page, PageRequest
from goclaw.models.shapes import now
from goclaw.models.web_sessions import MAX_USER_AGENT_CHARS, WebSession
from goclaw.resolvers.context import Context, found
from goclaw.resolvers.operation import PUBLIC, operation
from goclaw.security.web_sessions import new_secret, token_proof
from goclaw.store.web_sessions import (
    add_web_session,
    own_web_session,
    remove_web_session,
    web_session_to_end,
    web_sessions_of,
    web_sessions_page,
)
from goclaw.store.web_sessions import count_web_sessions as count_all_sessions


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`secret` is for the browser's cookie alone."""

    session: WebSession
    secret: str

    def __repr__(self) -> str:
        return f"SignedIn(session={self.session.id})"


@operation(PUBLIC)
async def sign_in(ctx: Context, user_agent: str | None = None) -> SignedIn:
    """A session of the credential this call came with, whatever its scopes. An open server has
    none. Raises Unauthenticated, InvalidInput when the call came with no token or key.
    """
    caller = ctx.caller
    token = ctx.services.settings.gateway_token
    if caller.session_id is not None or token is None:
        raise InvalidInput("session_without_token")
    secret = new_secret()
    session = _row(ctx, secret.hash, user_agent)
    if caller.key_id is None:
        session.token_proof = token_proof(secret.text, token.get_secret_value())
    else:
        await _end_with_grace(ctx, session, caller.key_id)
    async with ctx.db() as db:
        await add_web_session(db, session, ctx.services.settings.sessions_per_credential)
        ctx.announce(db, "web_session.created", session)
    return SignedIn(session, secret.text)


async def _end_with_grace(ctx: Context, session: WebSession, key_id: UUID) -> None:
    """While a key has two secrets nobody remembers which of them a call came with, so the page
    ends with the older one.
    """
    key = found(await ctx.api_keys.load(key_id), "api_key", key_id)
    if key.previous_until is not None and key.previous_until > session.created_at:
        session.expires_at = min(session.expires_at, key.previous_until)


def _row(ctx: Context, secret_hash: str, user_agent: str | None) -> WebSession:
    at = now()
    browser = (user_agent or "").replace("\x00", "")[:MAX_USER_AGENT_CHARS]
    return WebSession(
        id=uuid7(),
        secret_hash=secret_hash,
        user_id=ctx.caller.user_id,
        key_id=ctx.caller.key_id,
        address=ctx.address,
        user_agent=browser or None,
        created_at=at,
        last_seen_at=at,
        expires_at=at + timedelta(seconds=ctx.services.settings.session_max_age_s),
    )


@operation(PUBLIC)
async def sign_out(ctx: Context) -> None:
    """Ends the session this call came by; nothing to end is no error. Raises Unauthenticated."""
    id = ctx.caller.session_id
    if id is None:
        return
    async with ctx.db() as db:
        session = await own_web_session(db, id)
        if session is None:
            return
        await remove_web_session(db, id)
        ctx.announce(db, "web_session.ended", session)


@operation(Scope.READ, bound=False)
async def list_web_sessions(
    ctx: Context, page: PageRequest, user_id: str | None = None
) -> Page[WebSession]:
    """The caller's own; an administrator sees all, or those of one user."""
    return await web_sessions_page(ctx.reads, page, user_id)


@operation(Scope.READ, bound=False)
async def count_web_sessions(ctx: Context, user_id: str | None = None) -> int:
    return await count_all_sessions(ctx.reads, user_id)


@operation(Scope.WRITE, bound=False)
async def end_web_session(ctx: Context, id: UUID) -> WebSession:
    """Its page is signed out at once. Raises NotFound."""
    async with ctx.db() as db:
        session = found(await web_session_to_end(db, id), "web_session", id)
        await remove_web_session(db, id)
        ctx.announce(db, "web_session.ended", session)
    return session


@operation(Scope.WRITE, bound=False)
async def end_other_web_sessions(ctx: Context, user_id: str | None = None) -> list[UUID]:
    """Signs out all browsers of the caller, or of the user that an administrator names, but the
    one this call came by; tells which, newest first. Who else is named has none.
    """
    async with ctx.db() as db:
        of_user = await web_sessions_of(db, user_id or ctx.caller.user_id)
        others = [session for session in of_user if session.id != ctx.caller.session_id]
        for session in others:
            await remove_web_session(db, session.id)
            ctx.announce(db, "web_session.ended", session)
    return [session.id for session in others]
