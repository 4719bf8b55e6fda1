"""Counters of payments that a benchmark stores by itself: without them closing finds a defect."""

from typing import Final

from sqlalchemy import Connection, text

from shared_code.domain.windows import Window

_COUNT: Final = text("""
    INSERT INTO payment_metrics_5m
    SELECT date_bin('5 minutes', event_time, TIMESTAMPTZ 'epoch'), payment_method, currency,
           payment_status, count(*), sum(amount), min(amount), max(amount)
    FROM normalized_transactions
    WHERE event_time >= :start AND event_time < :end
    GROUP BY 1, 2, 3, 4
""")


def count_payments(connection: Connection, span: Window) -> None:
    """Count the payments of whole windows, which were not counted yet."""
    connection.execute(_COUNT, span._asdict())
