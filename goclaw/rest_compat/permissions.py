"""Which route asks for which operation."""

from collections.abc import Iterator

from goclaw.rest_compat.probes import ASKED
from goclaw.rest_compat.routes import ROUTES


def routes() -> Iterator[tuple[str, str]]:
    """Operation and route: `GET /v1/agents`."""
    for route in ROUTES:
        place = f"{route.method} {route.path}"
        yield route.operation.name, place
        for part in route.also.values():
            yield part.operation.name, place
        if route.respond_async is not None:
            yield route.respond_async.operation.name, f"{place} (Prefer: respond-async)"
    for path, operation in ASKED.items():
        yield operation.name, f"GET {path}"
