"""Closes windows: writes the exact figures of one window, and proves the counters by them.

Every function works inside one REPEATABLE READ transaction, so that all of them see the same
payments. A payment that this snapshot does not see has a mark of its own, which the snapshot does
not see either and which therefore survives.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text

from shared_code.domain.windows import WINDOW_LENGTH, Window

_MARKED: Final = text("""
    SELECT DISTINCT window_start
    FROM window_marks
    WHERE window_start <= :latest_start
    ORDER BY window_start
""")
_DELETE_MARKS: Final = text("DELETE FROM window_marks WHERE window_start = :window_start")
_NEXT_REVISION: Final = text("""
    SELECT coalesce(max(revision), 0) + 1 FROM window_revisions WHERE window_start = :window_start
""")
_LATEST_REVISION: Final = text("""
    SELECT revision, rule_set FROM window_revisions
    WHERE window_start = :window_start
    ORDER BY revision DESC
    LIMIT 1
""")
# The average is PostgreSQL's quotient, as everywhere else.
_INSERT_FINAL: Final = text("""
    INSERT INTO payment_metrics_5m_final
        (window_start, payment_method, currency, payment_status, revision,
         payment_count, amount_sum, amount_min, amount_max, amount_avg,
         amount_p50, amount_p95, amount_p99, distinct_customers, distinct_merchants)
    VALUES (:window_start, :payment_method, :currency, :payment_status, :revision,
            :payment_count, :amount_sum, :amount_min, :amount_max,
            CAST(:amount_sum AS numeric) / :payment_count,
            :amount_p50, :amount_p95, :amount_p99, :distinct_customers, :distinct_merchants)
""")
_INSERT_REVISION: Final = text("""
    INSERT INTO window_revisions (window_start, revision, payment_count, rule_set, final_at)
    VALUES (:window_start, :revision, :payment_count, :rule_set, :final_at)
""")
_DRIFT: Final = text("""
    WITH counted AS (
        SELECT payment_method, currency, payment_status,
               payment_count, amount_sum, amount_min, amount_max
        FROM payment_metrics_5m WHERE window_start = :window_start
        UNION ALL
        SELECT payment_method, currency, payment_status,
               payment_count, amount_sum, amount_min, amount_max
        FROM window_deltas WHERE window_start = :window_start
    ), streamed AS (
        SELECT payment_method, currency, payment_status,
               sum(payment_count) AS payment_count, sum(amount_sum) AS amount_sum,
               min(amount_min) AS amount_min, max(amount_max) AS amount_max
        FROM counted
        GROUP BY payment_method, currency, payment_status
    ), exact AS (
        SELECT payment_method, currency, payment_status,
               payment_count, amount_sum, amount_min, amount_max
        FROM payment_metrics_5m_final
        WHERE window_start = :window_start AND revision = :revision
    )
    SELECT payment_method, currency, payment_status,
           streamed.payment_count AS streamed_count, exact.payment_count AS exact_count,
           streamed.amount_sum AS streamed_sum, exact.amount_sum AS exact_sum
    FROM streamed
    FULL JOIN exact USING (payment_method, currency, payment_status)
    WHERE (streamed.payment_count, streamed.amount_sum, streamed.amount_min, streamed.amount_max)
        IS DISTINCT FROM
          (exact.payment_count, exact.amount_sum, exact.amount_min, exact.amount_max)
    ORDER BY payment_method, currency, payment_status
""")


class GroupFigures(NamedTuple):
    """Exact figures of the payments of one window and group."""

    payment_method: int
    currency: int
    payment_status: int
    payment_count: int
    amount_sum: Decimal
    amount_min: Decimal
    amount_max: Decimal
    amount_p50: Decimal
    amount_p95: Decimal
    amount_p99: Decimal
    distinct_customers: int
    distinct_merchants: int


class Drift(NamedTuple):
    """A group whose streamed counters differ from its payments. None: not there at all."""

    payment_method: int
    currency: int
    payment_status: int
    streamed_count: int | None
    exact_count: int | None
    streamed_sum: Any
    exact_sum: Any


class Revision(NamedTuple):
    """A revision of a window's figures, and the rule set that was active when it was made."""

    number: int
    rule_set: int


class ClosedWindow(NamedTuple):
    """What closing a window wrote."""

    window: Window
    revision: int
    payment_count: int
    drift: Sequence[Drift]


def marked_windows(connection: Connection, now: datetime) -> list[Window]:
    """Return the ended windows that have marks, oldest first."""
    parameters = {"latest_start": now - WINDOW_LENGTH}
    starts = connection.execute(_MARKED, parameters).scalars()
    return [Window(start, start + WINDOW_LENGTH) for start in starts]


def close_window(
    connection: Connection,
    window: Window,
    figures: Sequence[GroupFigures],
    *,
    rule_set: int,
    allowed_lateness: timedelta,
) -> ClosedWindow:
    """Consume a window's marks and write its exact figures as the next revision.

    Args:
        connection: in a transaction of REPEATABLE READ isolation.
        window: which has ended.
        figures: of the payments that the transaction sees.
        rule_set: number of the active one.
        allowed_lateness: until so long after its end the window is not final.
    """
    delete_marks(connection, window)
    revision = int(connection.execute(_NEXT_REVISION, {"window_start": window.start}).scalar_one())
    if figures:
        of_revision = {"window_start": window.start, "revision": revision}
        connection.execute(_INSERT_FINAL, [each._asdict() | of_revision for each in figures])
    payment_count = sum(each.payment_count for each in figures)
    parameters = {
        "window_start": window.start,
        "revision": revision,
        "payment_count": payment_count,
        "rule_set": rule_set,
        "final_at": window.end + allowed_lateness,
    }
    connection.execute(_INSERT_REVISION, parameters)
    found = connection.execute(_DRIFT, {"window_start": window.start, "revision": revision}).all()
    drift = [Drift(*row) for row in found]
    return ClosedWindow(window, revision, payment_count, drift)


def latest_revision(connection: Connection, window: Window) -> Revision:
    """Return the last revision of a window that was closed."""
    row = connection.execute(_LATEST_REVISION, {"window_start": window.start}).one()
    return Revision(row.revision, row.rule_set)


def delete_marks(connection: Connection, window: Window) -> None:
    """Delete the marks of a window that the transaction sees."""
    connection.execute(_DELETE_MARKS, {"window_start": window.start})
