from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Totals since the start of the worker, for /metrics."""

    log_reads: int = 0
    log_errors: int = 0
    events_read: int = 0
    events_delivered: int = 0
    subscriptions_overflowed: int = 0
    messages_delivered: int = 0
    messages_dropped: int = 0
    messages_malformed: int = 0
    wakes_sent: int = 0
    gaps: int = 0
