"""What a worker counts, for /metrics."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from goclaw.core.cache_counts import CacheCounts
from goclaw.core.callers import Scope
from goclaw.models.providers import BreakerState
from goclaw.resolvers.context import Context
from goclaw.resolvers.operation import operation
from goclaw.resolvers.services import Services

HITS: Final = "Looks that found what was remembered"
NEGATIVE_HITS: Final = "Looks that found remembered that there is none"
MISSES: Final = "Looks after which the database was asked"
EVICTIONS: Final = "Entries that had to make room"
REFUSALS: Final = "Refused by a limit: the code of the error, and whose limit it is"


@dataclass(frozen=True, slots=True)
class Figure:
    """`counts`: it only grows, from the start of the worker on. `labels` tell figures of one
    name apart; their values are few, and nothing a caller chose.
    """

    name: str
    help: str
    value: float
    counts: bool = True
    labels: Mapping[str, str] = field(default_factory=dict)


@operation(Scope.READ)
async def get_figures(ctx: Context) -> list[Figure]:
    """Of the worker that answers."""
    services = ctx.services
    runner, traces, hub = services.runner, services.traces, services.hub.figures()
    database = services.database
    return [
        Figure("runs_completed", "Runs that gave an answer", runner.completed),
        Figure("runs_failed", "Runs that failed or were cancelled", runner.failed),
        Figure("runs_live", "Runs at the moment", len(runner.live), counts=False),
        Figure("trace_rows_written", "Rows of traces and spans written", traces.written),
        Figure("trace_rows_dropped", "Rows dropped as the queue was full", traces.dropped),
        Figure("trace_rows_queued", "Rows waiting to be written", traces.queued, counts=False),
        Figure("subscriptions", "Open subscriptions", hub["subscriptions"], counts=False),
        Figure("fanout_connected", "Other workers are heard", hub["connected"], counts=False),
        Figure("fanout_reconnects", "Times the fan-out came back", hub["reconnects"]),
        Figure("database_pool_size", "Connections open", database.pool.get_size(), counts=False),
        *_exports(services),
        *_breakers(services),
        *_caches(services),
        *_refusals(services),
    ]


def _exports(services: Services) -> Iterator[Figure]:
    """None where no collector is named."""
    exporter = services.exporter
    if exporter is None:
        return
    yield Figure("traces_exported", "Traces that the collector took", exporter.sent)
    yield Figure("traces_export_dropped", "Traces that it will never get", exporter.dropped)
    yield Figure("traces_export_queued", "Traces waiting for it", exporter.queued, counts=False)
    yield Figure("traces_export_failures", "Requests it refused or missed", exporter.failures)
    yield Figure("spans_export_rejected", "Spans it did not want", exporter.rejected_spans)


def _breakers(services: Services) -> Iterator[Figure]:
    """Of the providers used since the worker started."""
    for name, breaker in services.clients.breakers().items():
        yield Figure(
            "provider_breaker_open",
            "Calls to the provider are stopped, or one is let through to see",
            breaker.state is not BreakerState.CLOSED,
            counts=False,
            labels={"provider": name},
        )
        yield Figure(
            "provider_breaker_opened",
            "Times calls to the provider were stopped",
            breaker.times_opened,
            labels={"provider": name},
        )


def _caches(services: Services) -> Iterator[Figure]:
    """Only of keys it is remembered that there is none."""
    keys, targets = services.keys, services.targets
    yield Figure(
        "cache_lease_held",
        "What is remembered may be used; nobody keeps the lease up while nobody calls",
        services.trust.held,
        counts=False,
    )
    yield from _cache("keys", keys.counts, len(keys))
    yield Figure(
        "cache_negative_hits", NEGATIVE_HITS, keys.counts.negative_hits, labels={"cache": "keys"}
    )
    yield from _cache("targets", targets.counts, len(targets))


def _cache(name: str, counts: CacheCounts, entries: int) -> Iterator[Figure]:
    labels = {"cache": name}
    yield Figure("cache_hits", HITS, counts.hits, labels=labels)
    yield Figure("cache_misses", MISSES, counts.misses, labels=labels)
    yield Figure("cache_evictions", EVICTIONS, counts.evictions, labels=labels)
    yield Figure("cache_entries", "Entries at the moment", entries, counts=False, labels=labels)


def _refusals(services: Services) -> Iterator[Figure]:
    yield Figure("credentials_refused", "Wrong, expired or revoked", services.refusals.total)
    refused: dict[tuple[str, str], int] = {
        ("rate_limited", subject): count for subject, count in services.rates.refused.items()
    }
    refused["too_many_failures", "address"] = services.failures.refused
    for places in (services.sockets, services.subscriptions):
        refused |= {(places.code, subject): count for subject, count in places.refused.items()}
    for (code, subject), count in refused.items():
        labels = {"code": code, "subject": subject}
        yield Figure("limit_refusals", REFUSALS, count, labels=labels)
