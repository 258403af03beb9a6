"""From a credential to a Context: the one way in, for every door."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from goclaw.core.callers import LOCAL_USER, Caller, Scope, effective, system_caller
from goclaw.core.errors import Forbidden, InvalidInput, Unauthenticated
from goclaw.core.locales import Locale
from goclaw.core.reasons import Reason
from goclaw.models.shapes import MAX_USER_ID_BYTES
from goclaw.resolvers.context import Context
from goclaw.resolvers.services import Services
from goclaw.security.credentials import key_hash, looks_like_key, same_token
from goclaw.store.api_keys import ValidKey, valid_key

OPEN_SCOPES: Final = effective(frozenset({Scope.WRITE}))
USER_HEADER: Final = "X-GoClaw-User-Id"


@dataclass(frozen=True, slots=True)
class Credential:
    """What came with a call. `user_id` is the user header, `body_user` the `user` of a
    chat body, which counts for unbound keys alone.
    """

    token: str | None
    user_id: str | None = None
    body_user: str | None = None
    address: str | None = None
    idempotency_key: str | None = None

    def __repr__(self) -> str:
        return f"Credential(token={'***' if self.token else None}, user_id={self.user_id!r})"


async def enter(
    services: Services, credential: Credential, request_id: str, locale: Locale = Locale.EN
) -> Context:
    """A Context for one call. Nobody signed in is no error here, the operation decides.

    Raises Unauthenticated for a bad credential, Forbidden for another's user id.
    """
    caller = await _caller(services, credential)
    return Context(
        services,
        caller,
        request_id,
        locale=locale,
        address=credential.address,
        idempotency_key=credential.idempotency_key,
    )


async def _caller(services: Services, credential: Credential) -> Caller | None:
    named = _named_user(credential)
    expected = services.settings.gateway_token
    token = credential.token
    if token and expected and same_token(token, expected.get_secret_value()):
        return _with_user(services, frozenset(Scope), None, named or credential.body_user)
    if token is not None and looks_like_key(token):
        return await _key_caller(services, token, named, credential.body_user)
    if expected is None:
        return Caller(OPEN_SCOPES, _no_owner(services, named or credential.body_user or LOCAL_USER))
    if token is not None:
        raise Unauthenticated("invalid_credential")
    return None


async def _key_caller(
    services: Services, token: str, named: str | None, body_user: str | None
) -> Caller:
    reads = services.database.reads(system_caller())
    key = await valid_key(reads, key_hash(token))
    if key is None:
        raise Unauthenticated("invalid_credential")
    services.key_use.note(key.id)
    scopes = _scopes(*key.scopes)
    if key.user_id is not None:
        if named not in (None, key.user_id):
            raise Forbidden("user_not_yours", field=USER_HEADER, user_id=named)
        return _with_user(services, scopes, key, key.user_id)
    return _with_user(services, scopes, key, named or body_user)


@lru_cache(maxsize=64)
def _scopes(*granted: str) -> frozenset[Scope]:
    return effective(frozenset(Scope(scope) for scope in granted))


def _with_user(
    services: Services, scopes: frozenset[Scope], key: ValidKey | None, user_id: str | None
) -> Caller:
    """An owner's id gives an owner's rights to the gateway token, an admin key, or a key
    bound to that id; anyone else may not name it.
    """
    is_owner = user_id is not None and user_id in services.settings.owner_ids
    bound = key is not None and key.user_id is not None
    if is_owner and not bound and Scope.ADMIN not in scopes:
        raise Forbidden("owner_not_yours", field=USER_HEADER)
    return Caller(scopes, user_id, None if key is None else key.id, is_owner)


def _no_owner(services: Services, user_id: str) -> str:
    if user_id in services.settings.owner_ids:
        raise Forbidden("owner_not_yours", field=USER_HEADER)
    return user_id


def _named_user(credential: Credential) -> str | None:
    for field, value in ((USER_HEADER, credential.user_id), ("user", credential.body_user)):
        if value is None:
            continue
        if len(value.encode("utf-8", "surrogatepass")) > MAX_USER_ID_BYTES:
            raise InvalidInput("user_id_too_long", field=field, limit=MAX_USER_ID_BYTES)
        if "\x00" in value:
            raise InvalidInput("invalid_input", field=field, reason=Reason("nul"))
    return credential.user_id or None
