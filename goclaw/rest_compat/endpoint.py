"""What answers one route."""

from collections.abc import Mapping
from typing import Any, Final

from goclaw.core.errors import GatewayError
from goclaw.core.paging import Page, cursor_of
from goclaw.resolvers.context import Context
from goclaw.resolvers.enter import enter
from goclaw.resolvers.services import Services
from goclaw.rest_compat.binder import Binding
from goclaw.rest_compat.bodies import body_user, json_object
from goclaw.rest_compat.encoders import send_json
from goclaw.rest_compat.exchange import Exchange
from goclaw.rest_compat.refusals import refuse
from goclaw.rest_compat.route import Part, Route
from goclaw.rest_compat.uploads import form_of
from goclaw.rest_compat.views import writer

ASYNC_PREFERENCE: Final = "respond-async"


class Endpoint:
    """Enters, reads the arguments, calls the operation, writes its answer."""

    def __init__(self, route: Route, services: Services) -> None:
        self.route = route
        self._services = services
        self._binding = Binding(route)
        self._encode = route.encoder or send_json
        self._later = Endpoint(route.respond_async, services) if route.respond_async else None
        self._part_arguments = {
            name: list(part.operation.signature.parameters)[1:] for name, part in route.also.items()
        }

    async def __call__(self, exchange: Exchange, values: Mapping[str, str]) -> None:
        if self._later is not None and ASYNC_PREFERENCE in (exchange.header(b"prefer") or ""):
            return await self._later(exchange, values)
        called: dict[str, str] = dict(self.route.names)
        try:
            if self._binding.uploads:
                ctx = await self._enter(exchange, None)
                async with form_of(exchange) as form:
                    await self._answer(ctx, exchange, values, form, called)
            elif self._binding.body is not None:
                await self._with_json(exchange, values, called)
            else:
                ctx = await self._enter(exchange, None)
                await self._answer(ctx, exchange, values, None, called)
        except GatewayError as error:
            if exchange.started:
                raise
            await refuse(exchange, error, openai=self.route.openai_errors, names=called)

    async def _with_json(
        self, exchange: Exchange, values: Mapping[str, str], called: dict[str, str]
    ) -> None:
        """Who is calling may stand in the body; a bad body is told to those alone who may call."""
        sent: dict[str, Any] = {}
        problem: GatewayError | None = None
        try:
            sent = json_object(await exchange.json_body())
        except GatewayError as error:
            problem = error
        field = self.route.body_user
        ctx = await self._enter(exchange, None if field is None else body_user(sent, field))
        if problem is not None:
            raise problem
        await self._answer(ctx, exchange, values, sent, called)

    async def _enter(self, exchange: Exchange, user: str | None) -> Context:
        """Raises Unauthenticated, Forbidden."""
        if self.route.anonymous:
            return Context(self._services, None, exchange.request_id, locale=exchange.locale)
        credential = exchange.credential(user)
        ctx = await enter(self._services, credential, exchange.request_id, exchange.locale)
        self.route.operation.admit(ctx)
        return ctx

    async def _answer(
        self,
        ctx: Context,
        exchange: Exchange,
        values: Mapping[str, str],
        sent: Mapping[str, Any] | None,
        called: dict[str, str],
    ) -> None:
        given = await self._binding.arguments(ctx, exchange, values, sent, called)
        result = self.route.operation(ctx, **given)
        if hasattr(result, "__anext__"):
            await self._encode(exchange, self.route, result)
            return
        body = await self._body(ctx, await result, given)
        await self._encode(exchange, self.route, body)

    async def _body(self, ctx: Context, result: Any, given: dict[str, Any]) -> Any:
        route = self.route
        if route.many is not None:
            return await self._list(ctx, result, given, route.many)
        if route.view is None:
            body: dict[str, Any] = {} if route.constants else result
        elif route.one is not None:
            body = {route.one: writer(route.view).one(result)}
        else:
            body = writer(route.view).one(result)
        for name, part in route.also.items():
            body[name] = await self._part(ctx, name, part, given)
        return {**body, **route.constants} if route.constants else body

    async def _list(self, ctx: Context, result: Any, given: dict[str, Any], name: str) -> Any:
        rows = result.rows if isinstance(result, Page) else result
        items = rows if self.route.view is None else writer(self.route.view).many(rows)
        if not name:
            return items
        body = {**self.route.constants, name: items}
        for field, part in self.route.also.items():
            body[field] = await self._part(ctx, field, part, given)
        if isinstance(result, Page) and self._binding.page is not None:
            page = given[self._binding.page]
            body["limit"], body["offset"] = page.limit, page.offset
            body["next_cursor"] = cursor_of(rows[-1].id) if result.has_next else None
        return body

    async def _part(self, ctx: Context, name: str, part: Part, given: dict[str, Any]) -> Any:
        arguments = {}
        for target in self._part_arguments[name]:
            source = part.arguments.get(target, target)
            if source in given:
                arguments[target] = given[source]
        result = await part.operation(ctx, **arguments)
        if part.view is None:
            return result
        return writer(part.view).many(result)
