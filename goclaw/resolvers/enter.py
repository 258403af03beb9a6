"""From a credential to a Context: the one way in, for every door."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from goclaw.core.callers import LOCAL_USER, SYSTEM, Caller, Scope, effective
from goclaw.core.errors import Forbidden, InvalidInput, Unauthenticated
from goclaw.core.locales import Locale
from goclaw.core.reasons import Reason
from goclaw.models.shapes import MAX_USER_ID_BYTES
from goclaw.resolvers.context import Context
from goclaw.resolvers.services import Services
from goclaw.resolvers.web_sessions import signed_in
from goclaw.security.credentials import is_hash_of, key_hash, looks_like_key
from goclaw.store.api_keys import ValidKey

ALL_SCOPES: Final = frozenset(Scope)
OPEN_SCOPES: Final = effective(frozenset({Scope.WRITE}))
KEYS: Final = "api_keys"
"""What caches of keys are called where they are told to forget."""
USER_HEADER: Final = "X-GoClaw-User-Id"


@dataclass(slots=True, unsafe_hash=True)  # a frozen one takes three times as long to make
class Credential:
    """What came with a call, which nobody changes. `user_id` is the user header, `body_user` the
    `user` of a chat body, which counts for unbound keys alone.
    """

    token: str | None
    user_id: str | None = None
    body_user: str | None = None
    address: str | None = None
    idempotency_key: str | None = None
    session: str | None = None
    """The secret of a signed-in page, which counts where there is no token."""

    @property
    def presented(self) -> bool:
        return self.token is not None or self.session is not None

    @property
    def proof(self) -> int | None:
        """Tells one that held from others, for what nobody can guess; None for other tokens.
        No secret can be read from it, and it means nothing outside this process.
        """
        if self.token is not None:
            return hash(self.token) if looks_like_key(self.token) else None
        return hash(self.session)

    def __repr__(self) -> str:
        return f"Credential(token={'***' if self.token else None}, user_id={self.user_id!r})"


async def enter(
    services: Services,
    credential: Credential,
    request_id: str,
    locale: Locale = Locale.EN,
    *,
    again: bool = False,
) -> Context:
    """A Context for one call. Nobody signed in is no error here, the operation decides.

    `again` asks anew about a connection that is open: it is neither counted nor held against
    the address.

    Raises Unauthenticated for a bad credential, Forbidden for another's user id, RateLimited.
    """
    if again:
        caller = await _known(services, credential, again=True)
    else:
        caller = await _counted(services, credential)
    return Context(
        services,
        caller,
        request_id,
        locale=locale,
        address=credential.address,
        idempotency_key=credential.idempotency_key,
    )


async def count_call(ctx: Context) -> None:
    """For a call on a connection that was let in before. Raises RateLimited."""
    await _count(ctx.services, ctx.caller)


async def _count(services: Services, caller: Caller) -> None:
    await services.rates.count_caller(
        holder_of(caller), caller.user_id, caller.rate_limit_per_minute
    )


def holder_of(caller: Caller) -> str:
    """Which credential a caller has, sessions counting as the one they were signed in with."""
    return "token" if caller.key_id is None else caller.key_id.hex


async def _counted(services: Services, credential: Credential) -> Caller | None:
    """Whoever was refused too often is not even looked up."""
    if not credential.presented:
        caller = await _known(services, credential)
    else:
        proof = credential.proof
        services.failures.check(credential.address, proof)
        try:
            caller = await _known(services, credential)
        except Unauthenticated:
            await services.failures.failed(credential.address)
            services.refusals.note(credential.address)
            raise
        services.failures.succeeded(credential.address, proof)
    if caller is not None:
        await _count(services, caller)
    return caller


async def _known(
    services: Services, credential: Credential, *, again: bool = False
) -> Caller | None:
    named = _named_user(credential)
    if (
        credential.token is None
        and credential.session is not None
        and not services.settings.is_open
    ):
        return await _session_caller(services, credential, credential.session, named, again=again)
    expected = services.settings.gateway_token
    token = credential.token
    if token is not None:
        hashed = key_hash(token)
        if expected and is_hash_of(hashed, expected.get_secret_value()):
            return _with_user(services, ALL_SCOPES, None, named or credential.body_user)
        if looks_like_key(token):
            return await _key_caller(services, hashed, named, credential, again=again)
    if expected is None:
        user_id = named or credential.body_user or LOCAL_USER
        return _with_user(services, OPEN_SCOPES, None, user_id)
    if token is not None:
        raise Unauthenticated("invalid_credential")
    return None


async def _session_caller(
    services: Services, credential: Credential, secret: str, named: str | None, *, again: bool
) -> Caller:
    """What the page's credential amounts to now, for the user it was signed in as."""
    session = await signed_in(services, secret, credential.address, named, again=again)
    if session.key_hash is None:
        caller = _with_user(services, ALL_SCOPES, None, session.user_id)
    else:
        of_page = replace(credential, body_user=None)
        caller = await _key_caller(
            services, session.key_hash, session.user_id, of_page, again=again
        )
    return caller._replace(session_id=session.id)


async def _key_caller(
    services: Services, hashed: str, named: str | None, credential: Credential, *, again: bool
) -> Caller:
    key = await services.keys.find(hashed)
    if key is None:
        raise Unauthenticated("invalid_credential")
    if not again:
        services.key_use.note(key.id, credential.address)
    scopes = _scopes(*key.scopes)
    if key.user_id is not None:
        if named not in (None, key.user_id):
            raise Forbidden("user_not_yours", field=USER_HEADER, user_id=named)
        return _with_user(services, scopes, key, key.user_id)
    return _with_user(services, scopes, key, named or credential.body_user)


@lru_cache(maxsize=64)
def _scopes(*granted: str) -> frozenset[Scope]:
    return effective(frozenset(Scope(scope) for scope in granted))


def _with_user(
    services: Services, scopes: frozenset[Scope], key: ValidKey | None, user_id: str | None
) -> Caller:
    """An owner's id gives an owner's rights to the gateway token, an admin key, or a key
    bound to that id; anyone else may not name it. What the administrator did in nobody's name
    is the server's, whom nobody else may name.
    """
    if user_id == SYSTEM and Scope.ADMIN not in scopes:
        raise Forbidden("user_reserved", field=USER_HEADER, user_id=SYSTEM)
    is_owner = user_id is not None and user_id in services.settings.owner_ids
    bound = key is not None and key.user_id is not None
    if is_owner and not bound and Scope.ADMIN not in scopes:
        raise Forbidden("owner_not_yours", field=USER_HEADER)
    if key is None:
        return Caller(scopes, user_id, None, is_owner)
    agent_ids = None if key.agent_ids is None else frozenset(key.agent_ids)
    return Caller(
        scopes,
        user_id,
        key.id,
        is_owner,
        agent_ids,
        rate_limit_per_minute=key.rate_limit_per_minute,
        budget_monthly_cents=key.budget_monthly_cents,
        tokens_per_day=key.tokens_per_day,
    )


def _named_user(credential: Credential) -> str | None:
    for field, value in ((USER_HEADER, credential.user_id), ("user", credential.body_user)):
        if value is None:
            continue
        if len(value.encode("utf-8", "surrogatepass")) > MAX_USER_ID_BYTES:
            raise InvalidInput("user_id_too_long", field=field, limit=MAX_USER_ID_BYTES)
        if "\x00" in value:
            raise InvalidInput("invalid_input", field=field, reason=Reason("nul"))
    return credential.user_id or None
