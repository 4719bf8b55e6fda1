"""Compares what the pipeline stored with what the simulator knows it has sent."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, text

from simulator.ledger import Ledger

_STREAMED: Final = text("""
    SELECT window_start, payment_method, currency, payment_status, payment_count, amount_sum
    FROM payment_windows
""")
_CLOSED: Final = text("""
    SELECT final.window_start, methods.name, currencies.name, statuses.name,
           final.payment_count, final.amount_sum
    FROM payment_metrics_5m_final AS final
    JOIN (
        SELECT window_start, max(revision) AS revision FROM window_revisions GROUP BY 1
    ) AS latest USING (window_start, revision)
    JOIN vocabularies AS methods
      ON methods.vocabulary = 'payment_method' AND methods.number = final.payment_method
    JOIN vocabularies AS currencies
      ON currencies.vocabulary = 'currency' AND currencies.number = final.currency
    JOIN vocabularies AS statuses
      ON statuses.vocabulary = 'payment_status' AND statuses.number = final.payment_status
""")
_PAYMENTS: Final = text("""
    SELECT date_bin('5 minutes', event_time, TIMESTAMPTZ 'epoch'), payment_method, currency,
           payment_status, count(*), sum(amount)
    FROM payments
    GROUP BY 1, 2, 3, 4
""")
_REJECTED: Final = text("SELECT reason, count(*) FROM rejected_events GROUP BY reason")
_DRIFT: Final = text("SELECT count(*) FROM alerts WHERE kind = 'drift'")

type Sums = dict[tuple[Any, ...], tuple[int, Decimal]]


def differences(connection: Connection, ledger: Ledger) -> Iterator[str]:
    """Yield a line for everything in which database and ledger differ; none if all is right."""
    expected: Sums = {
        (row.window_start, row.payment_method, row.currency, row.payment_status): (
            row.count,
            row.amount,
        )
        for row in ledger.sums
    }
    for name, query in (
        ("streamed counters", _STREAMED),
        ("closed windows", _CLOSED),
        ("stored payments", _PAYMENTS),
    ):
        found: Sums = {tuple(row[:4]): (int(row[4]), row[5]) for row in connection.execute(query)}
        for key in sorted(expected.keys() | found.keys()):
            if expected.get(key) != found.get(key):
                shown = " ".join(str(part) for part in key)
                yield f"{name}, {shown}: sent {expected.get(key)}, found {found.get(key)}"
    rejected = {str(reason): int(count) for reason, count in connection.execute(_REJECTED)}
    for reason in sorted(ledger.rejected.keys() | rejected.keys()):
        if ledger.rejected.get(reason, 0) != rejected.get(reason, 0):
            sent, found_count = ledger.rejected.get(reason, 0), rejected.get(reason, 0)
            yield f"rejected as {reason}: sent {sent}, found {found_count}"
    if drifts := connection.execute(_DRIFT).scalar_one():
        yield f"{drifts} drift alerts: counters differed from payments"
