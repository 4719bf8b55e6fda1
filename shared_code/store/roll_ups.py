"""Rolls the figures of five-minute windows up to hours and days of UTC.

Counts, sums, extremes and averages add up from the latest revisions of closed windows, without a
payment being read. Percentiles and distinct counts do not add up: they are read from the payments.
"""

from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, text

from shared_code.domain.windows import Period, PeriodLength, Window, period_of

ROLLED_UP_LENGTHS: Final = (PeriodLength.hour, PeriodLength.day)

_INSERT_MARK: Final = text("""
    INSERT INTO roll_up_marks (period_length, period_start) VALUES (:period_length, :period_start)
""")
_MARKED: Final = text("SELECT DISTINCT period_length, period_start FROM roll_up_marks")
_DELETE_MARKS: Final = text("""
    DELETE FROM roll_up_marks
    WHERE period_length = :period_length AND period_start = :period_start
""")
# Fewer payments than were counted: some have been dropped with their day. What was measured of them
# while they were there stands (coalesce); nothing is measured of the rest. A row is inserted again
# only after `replaced` gave the one that it deleted, whatever the plan.
_ROLL_UP: Final = text("""
    WITH closed AS (
        SELECT DISTINCT ON (window_start) window_start, revision, final_at
        FROM window_revisions
        WHERE window_start >= :period_start AND window_start < :period_end
        ORDER BY window_start, revision DESC
    ), progress AS (
        SELECT count(*) AS windows_closed,
               :period_end + max(final_at - window_start - interval '5 minutes') AS final_at
        FROM closed
    ), counted AS (
        SELECT payment_method, currency, payment_status,
               sum(payment_count) AS payment_count, sum(amount_sum) AS amount_sum,
               min(amount_min) AS amount_min, max(amount_max) AS amount_max
        FROM payment_metrics_5m_final
        JOIN closed USING (window_start, revision)
        WHERE window_start >= :period_start AND window_start < :period_end
        GROUP BY payment_method, currency, payment_status
    ), measured AS (
        SELECT payment_method, currency, payment_status, count(*) AS payment_count,
               percentile_disc(0.50) WITHIN GROUP (ORDER BY amount) AS amount_p50,
               percentile_disc(0.95) WITHIN GROUP (ORDER BY amount) AS amount_p95,
               percentile_disc(0.99) WITHIN GROUP (ORDER BY amount) AS amount_p99,
               count(DISTINCT customer_id) AS distinct_customers,
               count(DISTINCT merchant_id) AS distinct_merchants
        FROM normalized_transactions
        WHERE event_time >= :period_start AND event_time < :period_end
        GROUP BY payment_method, currency, payment_status
    ), replaced AS (
        DELETE FROM payment_metrics_rolled_up
        WHERE period_length = :period_length AND period_start = :period_start
        RETURNING *
    )
    INSERT INTO payment_metrics_rolled_up
        (period_length, period_start, payment_method, currency, payment_status,
         payment_count, amount_sum, amount_min, amount_max, amount_avg,
         amount_p50, amount_p95, amount_p99, distinct_customers, distinct_merchants,
         windows_closed, final_at)
    SELECT :period_length, :period_start,
           counted.payment_method, counted.currency, counted.payment_status,
           counted.payment_count, counted.amount_sum, counted.amount_min, counted.amount_max,
           counted.amount_sum / counted.payment_count,
           coalesce(measured.amount_p50, replaced.amount_p50),
           coalesce(measured.amount_p95, replaced.amount_p95),
           coalesce(measured.amount_p99, replaced.amount_p99),
           coalesce(measured.distinct_customers, replaced.distinct_customers),
           coalesce(measured.distinct_merchants, replaced.distinct_merchants),
           progress.windows_closed, progress.final_at
    FROM counted
    CROSS JOIN progress
    LEFT JOIN measured
      ON measured.payment_method = counted.payment_method
     AND measured.currency = counted.currency
     AND measured.payment_status = counted.payment_status
     AND measured.payment_count >= counted.payment_count
    LEFT JOIN replaced
      ON replaced.payment_method = counted.payment_method
     AND replaced.currency = counted.currency
     AND replaced.payment_status = counted.payment_status
    RETURNING payment_count, amount_p50 IS NOT NULL
""")


class RolledUp(NamedTuple):
    """What rolling up a period wrote.

    ``unmeasured`` groups had lost payments before their percentiles and distinct counts were ever
    taken.
    """

    period: Period
    groups: int
    payment_count: int
    unmeasured: int


def mark_roll_ups(connection: Connection, window: Window) -> None:
    """Mark the hour and the day of a window, in the transaction that closes it.

    Marks are appended: one that is already there may be deleted by a roll-up that does not see
    what this transaction writes.
    """
    periods = [period_of(window.start, length) for length in ROLLED_UP_LENGTHS]
    parameters = [{"period_length": each.length, "period_start": each.start} for each in periods]
    connection.execute(_INSERT_MARK, parameters)


def marked_roll_ups(connection: Connection, now: datetime) -> list[Period]:
    """Return the marked periods that have ended at ``now``: by their ends, hours before days."""
    marked = [
        period_of(start, PeriodLength(length)) for length, start in connection.execute(_MARKED)
    ]
    ended = [period for period in marked if period.end <= now]
    return sorted(ended, key=lambda period: (period.end, period.length.duration))


def roll_up(connection: Connection, period: Period) -> RolledUp:
    """Consume the marks of an hour or a day and replace its figures.

    The transaction must be REPEATABLE READ, so that the marks that are deleted are those of the
    windows that are added up. A window that is closed meanwhile, which only happens once the lease
    has been lost, has a mark that this snapshot does not see and that therefore survives.
    """
    span = {"period_length": period.length, "period_start": period.start}
    connection.execute(_DELETE_MARKS, span)
    rows = connection.execute(_ROLL_UP, {**span, "period_end": period.end}).all()
    unmeasured = sum(not is_measured for _, is_measured in rows)
    return RolledUp(period, len(rows), sum(count for count, _ in rows), unmeasured)
