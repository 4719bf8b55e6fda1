"""What is measured, by the OpenTelemetry API: without a provider a measurement costs nothing.

Names and units follow OpenTelemetry's semantic conventions. An attribute has few values: reasons,
outcomes, partitions and versions of rules, never anything of a payment.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from opentelemetry.metrics import get_meter

from shared_code.domain.vocabularies import RejectReason

SCOPE: Final = "payment_metrics"
# OpenTelemetry's semantic conventions, "Messaging attributes".
PARTITION: Final = "messaging.destination.partition.id"
OUTCOME: Final = "payments.outcome"
REASON: Final = "payments.reason"
RULE_SET_VERSION: Final = "payments.rule_set_version"
REVISION: Final = "payments.window.revision"

_SHORT_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_LONG_SECONDS: Final = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400)
_COUNTS: Final = (1, 10, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000)

_meter = get_meter(SCOPE)

_batch_messages: Final = _meter.create_histogram(
    "payments.batch.messages",
    "{message}",
    "Messages of a batch that was stored",
    explicit_bucket_boundaries_advisory=_COUNTS,
)
_commit_duration: Final = _meter.create_histogram(
    "payments.commit.duration",
    "s",
    "COMMIT of the rows of a batch",
    explicit_bucket_boundaries_advisory=_SHORT_SECONDS,
)
_events: Final = _meter.create_counter(
    "payments.events", "{event}", "Payment events by what became of them"
)
_rejected: Final = _meter.create_counter(
    "payments.rejected", "{event}", "Rejected payment events by reason"
)
_lag: Final = _meter.create_histogram(
    "payments.lag",
    "s",
    "How long the oldest message of a batch has waited in Event Hubs when the batch is taken up",
    explicit_bucket_boundaries_advisory=_LONG_SECONDS,
)
_folded: Final = _meter.create_histogram(
    "payments.fold.deltas",
    "{delta}",
    "Deltas that one fold moved into the streamed counters",
    explicit_bucket_boundaries_advisory=_COUNTS,
)
_waiting: Final = _meter.create_gauge(
    "payments.windows.waiting", "{window}", "Windows that have ended and wait to be closed"
)
_close_delay: Final = _meter.create_histogram(
    "payments.window.close.delay",
    "s",
    "From the end of a window to the tick that closes it",
    explicit_bucket_boundaries_advisory=_LONG_SECONDS,
)
_close_duration: Final = _meter.create_histogram(
    "payments.window.close.duration",
    "s",
    "Closing of one window, its rules and clusters included",
    explicit_bucket_boundaries_advisory=_LONG_SECONDS,
)
_alerts: Final = _meter.create_counter(
    "payments.alerts", "{alert}", "Alerts that closing windows raised"
)
_drift: Final = _meter.create_counter(
    "payments.drift", "{group}", "Groups of a window whose counters differ from its payments"
)


def record_batch(*, messages: int, stored: int, duplicates: int, rule_set_version: str) -> None:
    """Measure a batch that is committed; its rejected events are measured where they are kept."""
    of_rules = {RULE_SET_VERSION: rule_set_version}
    _batch_messages.record(messages)
    for outcome, events in (("stored", stored), ("duplicate", duplicates)):
        if events:
            _events.add(events, {OUTCOME: outcome, **of_rules})


def record_commit(seconds: float, rejected: Iterable[RejectReason], rule_set_version: str) -> None:
    """Measure one commit of payments, and the events that were rejected with it."""
    _commit_duration.record(seconds)
    reasons = Counter(rejected)
    for reason, count in reasons.items():
        _rejected.add(count, {REASON: str(reason)})
    if reasons:
        outcome = {OUTCOME: "rejected", RULE_SET_VERSION: rule_set_version}
        _events.add(reasons.total(), outcome)


def record_lag(partition_id: str, oldest: datetime, now: datetime) -> None:
    """Measure how long the oldest message of a batch has waited, whatever becomes of the batch."""
    # The clock of Event Hubs may be a little ahead of this one; a histogram takes nothing below 0.
    _lag.record(max((now - oldest).total_seconds(), 0), {PARTITION: partition_id})


def record_fold(deltas: int) -> None:
    """Measure a fold that moved something."""
    if deltas:
        _folded.record(deltas)


def record_waiting(windows: int) -> None:
    """Measure how many windows a tick finds to close."""
    _waiting.set(windows)


def record_close(
    *, delay: float | None, seconds: float, revision: int, alerts: int, drifting: int
) -> None:
    """Measure a window that is closed.

    Args:
        delay: seconds from its end to the tick; None if someone asked to close it again.
        seconds: how long closing took.
        revision: of its figures; later ones than the first follow late payments.
        alerts: raised by it.
        drifting: groups whose counters differ from its payments.
    """
    of_revision = {REVISION: "first" if revision == 1 else "later"}
    if delay is not None:
        _close_delay.record(delay, of_revision)
    _close_duration.record(seconds, of_revision)
    _alerts.add(alerts)
    _drift.add(drifting)
