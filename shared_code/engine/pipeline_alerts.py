"""What the pipeline reports of itself: counters that differ from payments, missing days."""

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from shared_code.domain.currencies import CURRENCY_BY_NUMBER
from shared_code.domain.vocabularies import PaymentMethod, PaymentStatus, Severity
from shared_code.rules.compiler import canonical_dimensions
from shared_code.store.alerts import Alert
from shared_code.store.partitions import DAYS_AHEAD_ALERT, AttachedDays
from shared_code.store.window_close import ClosedWindow

_log: Final = logging.getLogger(__name__)


def drift_alerts(closed: ClosedWindow, now: datetime) -> Iterator[Alert]:
    """Yield an alert for each group whose streamed counters differ from its payments."""
    for drift in closed.drift:
        subject = canonical_dimensions(
            {
                "payment_method": PaymentMethod(drift.payment_method).name,
                "currency": CURRENCY_BY_NUMBER[drift.currency].code,
                "payment_status": PaymentStatus(drift.payment_status).name,
            }
        )
        _log.error("counters differ from payments in %s: %s", closed.window.start, drift)
        yield Alert(
            kind="drift",
            severity=Severity.critical,
            subject=subject,
            window_start=closed.window.start,
            evidence={
                "streamed_count": drift.streamed_count,
                "exact_count": drift.exact_count,
                "streamed_sum": drift.streamed_sum,
                "exact_sum": drift.exact_sum,
                "revision": closed.revision,
            },
            first_seen=now,
            last_seen=now,
        )


def partition_alerts(days: AttachedDays | None, now: datetime) -> Iterator[Alert]:
    """Yield an alert if fewer days ahead than there should be can take payments."""
    ahead = -1 if days is None else (days.last - now.date()).days
    if ahead < DAYS_AHEAD_ALERT:
        _log.error("payments can be stored for %d days ahead, not %d", ahead, DAYS_AHEAD_ALERT)
        yield Alert(
            kind="partitions",
            severity=Severity.critical,
            subject="normalized_transactions",
            evidence={"days_ahead": ahead, "expected": DAYS_AHEAD_ALERT},
            first_seen=now,
            last_seen=now,
        )
