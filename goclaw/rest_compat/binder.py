"""From a line of the table to what answers its requests.

Everything is read off the operation's signature once, when the server starts: simple types are
parameters of the path, the query or a header, or fields of a small body; a `PageRequest` is
`limit`, `offset` and `cursor`; a shape is a JSON body; an `Upload` is a multipart body.
"""

from collections.abc import Mapping
from inspect import Parameter as Argument
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, create_model

from goclaw.core.errors import InvalidInput
from goclaw.core.files import Upload
from goclaw.core.paging import PageRequest
from goclaw.models.chat import NonEmpty
from goclaw.resolvers.context import Context
from goclaw.resolvers.refs import Ref, as_id
from goclaw.rest_compat.bodies import ShapeBody
from goclaw.rest_compat.exchange import Exchange
from goclaw.rest_compat.parameters import (
    Parameter,
    page_of_query,
    page_parameters,
    parameter,
    query_of,
    without_none,
)
from goclaw.rest_compat.paths import names_in
from goclaw.rest_compat.route import Route

BODY_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})
PAGING: Final = frozenset({"limit", "offset", "cursor"})


class Binding:
    """Where each argument of a route's operation comes from."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self.body: ShapeBody | None = None
        self.page: str | None = None
        self.uploads = tuple(
            name
            for name, argument in route.operation.signature.parameters.items()
            if without_none(argument.annotation) is Upload
        )
        self._shape_argument: str | None = None
        self.form_fields: tuple[Parameter, ...] = ()
        rest = self._own_arguments()
        self.parameters = self._parameters(rest)
        if self.uploads:
            self.form_fields = tuple(parameter(one, self._name(one), "query") for one in rest)
        elif rest:
            self.body = ShapeBody(_small_shape(route, rest), route.translation)
        self._path = tuple(p for p in self.parameters if p.place == "path")
        self._query = tuple(p for p in self.parameters if p.place == "query")
        self._header = tuple(p for p in self.parameters if p.place == "header")

    def _own_arguments(self) -> list[Argument]:
        """Those of simple types; pages, shapes and files are taken out and remembered."""
        rest: list[Argument] = []
        for argument in list(self.route.operation.signature.parameters.values())[1:]:
            annotation = without_none(argument.annotation)
            if argument.name in self.route.fixed or argument.name in self.uploads:
                continue
            if annotation is PageRequest:
                self.page = argument.name
            elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
                self.body = ShapeBody(annotation, self.route.translation)
                self._shape_argument = argument.name
            else:
                rest.append(argument)
        return rest

    def _parameters(self, rest: list[Argument]) -> tuple[Parameter, ...]:
        """Takes those of path, header and query out of `rest`; what stays is of the body."""
        in_path = names_in(self.route.path)
        found: list[Parameter] = []
        for argument in tuple(rest):
            name = self._name(argument)
            if name in in_path:
                found.append(self._path_parameter(argument, name))
            elif argument.name in self.route.headers:
                header = self.route.headers[argument.name][0]
                found.append(parameter(argument, header, "header"))
            elif self.route.method not in BODY_METHODS or self.body is not None:
                found.append(parameter(argument, name, "query"))
            else:
                continue
            rest.remove(argument)
        if self.page is not None:
            found.extend(page_parameters(self.route.default_limit))
        return tuple(found)

    def _path_parameter(self, argument: Argument, name: str) -> Parameter:
        """A slug may stand for the id where the route says how to find its row."""
        if argument.name in self.route.by_slug:
            argument = argument.replace(annotation=Ref)
        return parameter(argument, name, "path")

    def _name(self, argument: Argument) -> str:
        return self.route.names.get(argument.name, argument.name)

    async def arguments(
        self,
        ctx: Context,
        exchange: Exchange,
        values: Mapping[str, str],
        sent: Mapping[str, Any] | None,
        called: dict[str, str],
    ) -> dict[str, Any]:
        """What the operation is called with. `values` are those of the path, `sent` is the body:
        a JSON object or the fields of a form; `called` is filled with the caller's names.
        """
        given: dict[str, Any] = {p.target: p.read(values[p.name]) for p in self._path}
        if self._query:
            self._read_query(exchange, given)
        for header in self._header:
            text = _first_header(exchange, self.route.headers[header.target])
            if text is not None:
                given[header.target] = header.read(text)
        if self.uploads:
            self._read_form(sent or {}, given)
        elif self.body is not None:
            shape = await self.body.read(ctx, sent or {}, called)
            if self._shape_argument is None:
                given.update({name: getattr(shape, name) for name in type(shape).model_fields})
            else:
                given[self._shape_argument] = shape
        for name, find in self.route.by_slug.items():
            given[name] = as_id(given[name]) or (await find(ctx, given[name])).id
        given.update(self.route.fixed)
        return given

    def _read_query(self, exchange: Exchange, given: dict[str, Any]) -> None:
        texts = query_of(exchange.scope["query_string"])
        page: dict[str, Any] = {}
        for item in self._query:
            text = texts.get(item.name)
            if text is not None:
                target = page if item.target in PAGING and self.page else given
                target[item.target] = item.read(text)
            elif item.required:
                raise InvalidInput("required", field=item.name)
        if self.page is not None:
            given[self.page] = page_of_query(page, self.route.default_limit)

    def _read_form(self, form: Mapping[str, Any], given: dict[str, Any]) -> None:
        for name in self.uploads:
            if not isinstance(form.get(name), Upload):
                raise InvalidInput("required", field=name)
            given[name] = form[name]
        for item in self.form_fields:
            text = form.get(item.name)
            if isinstance(text, str):
                given[item.target] = item.read(text)
            elif item.required:
                raise InvalidInput("required", field=item.name)


def _first_header(exchange: Exchange, names: tuple[str, ...]) -> str | None:
    for name in names:
        text = exchange.header(name.lower().encode())
        if text:
            return text
    return None


def _small_shape(route: Route, arguments: list[Argument]) -> type[BaseModel]:
    """The body of an operation that takes a few simple values."""
    fields: dict[str, Any] = {
        argument.name: (
            NonEmpty if argument.annotation is str else argument.annotation,
            ... if argument.default is Argument.empty else argument.default,
        )
        for argument in arguments
    }
    name = "".join(part.title() for part in route.operation.name.split("_"))
    return create_model(name, __config__=ConfigDict(extra="ignore"), **fields)
