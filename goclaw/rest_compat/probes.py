"""What operators ask: `/livez`, `/readyz`, `/metrics`."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from goclaw.core.errors import GatewayError
from goclaw.core.ids import uuid7
from goclaw.core.locales import locale_of
from goclaw.resolvers.enter import Credential, enter
from goclaw.resolvers.figures import Figure, get_figures
from goclaw.resolvers.operation import Operation
from goclaw.resolvers.services import Services
from goclaw.resolvers.system import check_ready
from goclaw.security.credentials import bearer

ASKED: Final[dict[str, Operation[..., Any]]] = {"/readyz": check_ready, "/metrics": get_figures}
"""The operation of each path; `/livez` asks for none."""


class Probes:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)
        PlatformCollector(registry=self._process)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._answer(scope)
        except GatewayError as error:
            locale = locale_of(Headers(scope=scope).get("accept-language"))
            headers = {"Content-Language": locale, "Vary": "Accept-Language"}
            if error.retry_after_s:
                headers["Retry-After"] = str(error.retry_after_s)
            response = PlainTextResponse(f"{error.text(locale)}\n", error.status, headers)
        response.headers["Cache-Control"] = "no-store"
        await response(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response:
        if scope["path"] == "/livez":
            return PlainTextResponse("ok\n")
        token = bearer(Headers(scope=scope).get("authorization"))
        if scope["path"] == "/readyz":
            await check_ready(await enter(self._services, Credential(None), uuid7().hex))
            return PlainTextResponse("ok\n")
        client = scope.get("client")
        ctx = await enter(
            self._services, Credential(token, address=client[0] if client else None), uuid7().hex
        )
        figures = await get_figures(ctx)
        return Response(self._metrics(figures), media_type=CONTENT_TYPE_LATEST)

    def _metrics(self, figures: Iterable[Figure]) -> bytes:
        registry = CollectorRegistry()
        registry.register(_Figures(figures))
        return generate_latest(registry) + generate_latest(self._process)


class _Figures(Collector):
    def __init__(self, figures: Iterable[Figure]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """One family for each name, with a sample for each of its labels' values."""
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for figure in self._figures:
            kind = CounterMetricFamily if figure.counts else GaugeMetricFamily
            labels = list(figure.labels)
            if figure.name not in families:
                families[figure.name] = kind(f"goclaw_{figure.name}", figure.help, labels=labels)
            families[figure.name].add_metric(list(figure.labels.values()), figure.value)
        yield from families.values()
