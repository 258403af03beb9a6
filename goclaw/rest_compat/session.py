"""`/v1/session`: what the page signs in and out with. The secret goes into a cookie alone."""

from collections.abc import Awaitable, Callable, Mapping

from goclaw.core.errors import Unauthenticated
from goclaw.models.web_sessions import WebSessionView
from goclaw.resolvers.enter import enter
from goclaw.resolvers.services import Services
from goclaw.resolvers.sign_in import sign_in, sign_out
from goclaw.rest_compat.exchange import Exchange, Headers
from goclaw.rest_compat.refusals import refuse
from goclaw.rest_compat.views import dumps, writer

Answer = Callable[[Exchange, Mapping[str, str]], Awaitable[None]]


def begin_session(services: Services) -> Answer:
    async def answer(exchange: Exchange, _: Mapping[str, str]) -> None:
        ctx = await enter(services, exchange.credential(), exchange.request_id)
        made = await sign_in(ctx, exchange.header(b"user-agent"))
        cookie = services.edge.cookie(exchange.scope)
        headers = _private(cookie.set(made.secret, services.settings.session_max_age_s))
        body = dumps(writer(WebSessionView).one(made.session))
        await exchange.respond(201, body, headers=headers)

    return answer


def end_session(services: Services) -> Answer:
    """Takes the cookie away also where the session is over already."""

    async def answer(exchange: Exchange, _: Mapping[str, str]) -> None:
        headers = _private(services.edge.cookie(exchange.scope).clear())
        try:
            await sign_out(await enter(services, exchange.credential(), exchange.request_id))
        except Unauthenticated as error:
            await refuse(exchange, error, openai=False, headers=headers)
            return
        await exchange.respond(200, dumps({"ok": "true"}), headers=headers)

    return answer


def _private(cookie: str) -> Headers:
    return ((b"set-cookie", cookie.encode()), (b"cache-control", b"no-store"))
