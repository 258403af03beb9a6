"""The GraphQL door as an ASGI application."""

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from goclaw.core.errors import GatewayError
from goclaw.resolvers.admission import Admissions
from goclaw.resolvers.services import Services
from goclaw.schema.exchange import Exchange
from goclaw.schema.http import HttpDoor
from goclaw.schema.socket import Sockets

PATHS: Final = frozenset({"/graphql", "/graphql/"})


class GraphQLApp:
    def __init__(self, services: Services) -> None:
        admissions = Admissions(services)
        self._http = HttpDoor(services, admissions)
        self._sockets = Sockets(services, admissions)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if scope["type"] == "websocket":
            await self._sockets.serve(scope, receive, send, known=path in PATHS)
            return
        call = Exchange(scope, receive, send)
        if path in PATHS:
            await self._http.answer(call)
            return
        try:
            await self._http.answer_file(call, path)
        except GatewayError as error:
            await call.refuse(error)


def graphql_app(services: Services) -> ASGIApp:
    """For `/graphql` and everything below it."""
    return GraphQLApp(services)
