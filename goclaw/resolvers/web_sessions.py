"""The cookie of a signed-in page, as one more way in."""

from datetime import timedelta

from goclaw.core.errors import Forbidden, Unauthenticated
from goclaw.resolvers.services import Services
from goclaw.security.credentials import key_hash
from goclaw.security.web_sessions import proves
from goclaw.store.web_sessions import LiveSession, live_session


async def signed_in(
    services: Services, secret: str, address: str | None, named: str | None, *, again: bool
) -> LiveSession:
    """`named` is the user header, which cannot change whom the page is signed in as; `again`
    asks about a page that does nothing by itself, and so does not keep its session alive.

    Raises Unauthenticated for a session that is over, also as the gateway token has changed;
    Forbidden for another user.
    """
    idle = timedelta(seconds=services.settings.session_idle_s)
    session = await live_session(services.database, key_hash(secret), idle, address, seen=not again)
    if session is None or (session.key_hash is None and not _same_token(services, session, secret)):
        raise Unauthenticated("invalid_credential")
    if named not in (None, session.user_id):
        raise Forbidden("session_user", field="X-GoClaw-User-Id", user_id=named)
    return session


def _same_token(services: Services, session: LiveSession, secret: str) -> bool:
    token = services.settings.gateway_token
    return token is not None and proves(session.token_proof, secret, token.get_secret_value())
