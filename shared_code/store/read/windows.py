"""Windows, hours and days by method, currency and status, and what each sums up to.

Counts and sums are those of this moment, unfolded deltas included. Hours and days that wait for
nothing are read as they were rolled up, so that a month is a few thousand rows and not a million.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, text

from shared_code.domain.vocabularies import PaymentStatus
from shared_code.domain.windows import PeriodLength, period_of
from shared_code.store.read.paging import Key, Listing, Page, Span, at_scale, listing, newest_rows

_GROUP: Final = "payment_method, currency, payment_status"
_SUMS: Final = "payment_count, amount_sum, amount_min, amount_max"
_COUNTED: Final = f"""
    counted AS (
        SELECT window_start, {_GROUP}, {_SUMS} FROM payment_metrics_5m
        UNION ALL
        SELECT window_start, {_GROUP}, {_SUMS} FROM window_deltas
    )
"""
_WANTED: Final = """
    (CAST(:methods AS smallint[]) IS NULL OR payment_method = ANY(CAST(:methods AS smallint[])))
    AND (CAST(:currencies AS smallint[]) IS NULL OR currency = ANY(CAST(:currencies AS smallint[])))
    AND (CAST(:statuses AS smallint[]) IS NULL
         OR payment_status = ANY(CAST(:statuses AS smallint[])))
"""
_ADDED_UP: Final = """
    sum(payment_count)::bigint AS payment_count, sum(amount_sum) AS amount_sum,
    min(amount_min) AS amount_min, max(amount_max) AS amount_max
"""
_BEHIND: Final = """
    (CAST(:after_start AS timestamptz) IS NULL
     OR ({start}, payment_method, currency, payment_status)
        < (CAST(:after_start AS timestamptz), CAST(:after_method AS smallint),
           CAST(:after_currency AS smallint), CAST(:after_status AS smallint)))
"""
_NAMES: Final = """
    JOIN vocabularies AS methods
      ON methods.vocabulary = 'payment_method' AND methods.number = page.payment_method
    JOIN vocabularies AS currencies
      ON currencies.vocabulary = 'currency' AND currencies.number = page.currency
    JOIN vocabularies AS statuses
      ON statuses.vocabulary = 'payment_status' AND statuses.number = page.payment_status
"""
_NEWEST_FIRST: Final = """
    ORDER BY page.period_start DESC, page.payment_method DESC, page.currency DESC,
             page.payment_status DESC
"""
# In the order of the primary key, backwards: a page reads no more windows than it shows.
_WINDOWS: Final = text(f"""
    WITH {_COUNTED}, page AS (
        SELECT window_start AS period_start, {_GROUP}, {_ADDED_UP}
        FROM counted
        WHERE window_start >= :start AND window_start < :end AND window_start <= :newest
          AND {_WANTED} AND {_BEHIND.format(start="window_start")}
        GROUP BY window_start, {_GROUP}
        ORDER BY window_start DESC, payment_method DESC, currency DESC, payment_status DESC
        LIMIT :more
    )
    SELECT page.*, methods.name AS method_name, currencies.name AS currency_name,
           statuses.name AS status_name, closed.amount_avg, closed.amount_p50, closed.amount_p95,
           closed.amount_p99, closed.distinct_customers, closed.distinct_merchants,
           latest.revision, coalesce(latest.final_at <= now(), false) AND NOT EXISTS (
               SELECT FROM window_marks WHERE window_marks.window_start = page.period_start
           ) AS is_final
    FROM page
    {_NAMES}
    LEFT JOIN LATERAL (
        SELECT revision, final_at
        FROM window_revisions
        WHERE window_revisions.window_start = page.period_start
        ORDER BY revision DESC
        LIMIT 1
    ) AS latest ON true
    LEFT JOIN payment_metrics_5m_final AS closed
      ON closed.window_start = page.period_start
     AND closed.payment_method = page.payment_method AND closed.currency = page.currency
     AND closed.payment_status = page.payment_status AND closed.revision = latest.revision
    {_NEWEST_FIRST}
""")
# A period that is final and waits neither for a closing nor for a roll-up has in its rolled-up rows
# what its windows add up to; the others are added up, each by its own range of the key.
_PERIODS: Final = f"""
    {_COUNTED}, periods AS MATERIALIZED (
        SELECT period_start, EXISTS (
            SELECT FROM payment_metrics_rolled_up AS rolled_up
            WHERE rolled_up.period_length = :length AND rolled_up.period_start = each.period_start
              AND rolled_up.final_at <= now()
        ) AND NOT EXISTS (
            SELECT FROM window_marks
            WHERE window_marks.window_start >= each.period_start
              AND window_marks.window_start < each.period_start + CAST(:duration AS interval)
        ) AND NOT EXISTS (
            SELECT FROM roll_up_marks
            WHERE roll_up_marks.period_length = :length
              AND roll_up_marks.period_start = each.period_start
        ) AS is_final
        FROM generate_series(
            CAST(:first AS timestamptz), CAST(:last AS timestamptz), CAST(:duration AS interval)
        ) AS each (period_start)
    ), added_up AS (
        SELECT period_start, is_final, {_GROUP}, {_SUMS}
        FROM periods JOIN payment_metrics_rolled_up USING (period_start)
        WHERE is_final AND period_length = :length
        UNION ALL
        SELECT period_start, is_final, {_GROUP}, {_SUMS}
        FROM periods CROSS JOIN LATERAL (
            SELECT {_GROUP}, {_ADDED_UP}
            FROM counted
            WHERE window_start >= period_start
              AND window_start < period_start + CAST(:duration AS interval)
            GROUP BY {_GROUP}
        ) AS streamed
        WHERE NOT is_final
    )
"""
_HOURS_AND_DAYS: Final = text(f"""
    WITH {_PERIODS}, page AS (
        SELECT * FROM added_up
        WHERE {_WANTED} AND {_BEHIND.format(start="period_start")}
        ORDER BY period_start DESC, payment_method DESC, currency DESC, payment_status DESC
        LIMIT :more
    )
    SELECT page.*, methods.name AS method_name, currencies.name AS currency_name,
           statuses.name AS status_name, page.amount_sum / page.payment_count AS amount_avg,
           rolled_up.amount_p50, rolled_up.amount_p95, rolled_up.amount_p99,
           rolled_up.distinct_customers, rolled_up.distinct_merchants,
           CAST(NULL AS integer) AS revision
    FROM page
    {_NAMES}
    LEFT JOIN payment_metrics_rolled_up AS rolled_up
      ON rolled_up.period_length = :length AND rolled_up.period_start = page.period_start
     AND rolled_up.payment_method = page.payment_method AND rolled_up.currency = page.currency
     AND rolled_up.payment_status = page.payment_status
    {_NEWEST_FIRST}
""")
_COUNT_OF: Final = "coalesce(sum(payment_count) FILTER (WHERE payment_status = {:d}), 0)::bigint"
_BY_STATUS: Final = f"""
    sum(payment_count)::bigint AS payment_count,
    {_COUNT_OF.format(PaymentStatus.completed)} AS completed_count,
    {_COUNT_OF.format(PaymentStatus.failed)} AS failed_count,
    {_COUNT_OF.format(PaymentStatus.cancelled)} AS cancelled_count
"""
_THROUGHPUT: Final = text(f"""
    WITH {_COUNTED}
    SELECT window_start AS period_start, {_BY_STATUS}
    FROM counted
    WHERE window_start >= :start AND window_start < :end
      AND (CAST(:after_start AS timestamptz) IS NULL OR window_start < :after_start)
    GROUP BY window_start
    ORDER BY window_start DESC
    LIMIT :more
""")
_THROUGHPUT_OF_PERIODS: Final = text(f"""
    WITH {_PERIODS}
    SELECT period_start, {_BY_STATUS}
    FROM added_up
    WHERE CAST(:after_start AS timestamptz) IS NULL OR period_start < :after_start
    GROUP BY period_start
    ORDER BY period_start DESC
    LIMIT :more
""")


class GroupFilter(NamedTuple):
    """Which groups are wanted, by their stored numbers; None means all."""

    methods: Sequence[int] | None = None
    currencies: Sequence[int] | None = None
    statuses: Sequence[int] | None = None

    def parameters(self) -> dict[str, Any]:
        """Return what statements bind."""
        return {name: list(value) if value else None for name, value in self._asdict().items()}


class WindowGroup(msgspec.Struct, frozen=True):
    """The payments of one window, hour or day, method, currency and status.

    Percentiles and distinct counts are null until the window was closed; ``revision`` counts the
    closings of a five-minute window and is null for hours and days.
    """

    window_start: datetime
    window_end: datetime
    payment_method: str
    currency: str
    payment_status: str
    payment_count: int
    amount_sum: Decimal
    amount_min: Decimal
    amount_max: Decimal
    amount_avg: Decimal | None
    amount_p50: Decimal | None
    amount_p95: Decimal | None
    amount_p99: Decimal | None
    distinct_customers: int | None
    distinct_merchants: int | None
    revision: int | None
    is_final: bool


class Throughput(msgspec.Struct, frozen=True):
    """How many payments a window, hour or day had, and which share of them went wrong.

    ``failure_ratio`` is of failed and completed payments, ``decline_ratio`` (failed or cancelled)
    of all; null where there are none.
    """

    window_start: datetime
    payment_count: int
    failed_count: int
    cancelled_count: int
    failure_ratio: float | None
    decline_ratio: float | None


def window_groups(
    connection: Connection, period: PeriodLength, span: Span, page: Page, wanted: GroupFilter
) -> Listing[WindowGroup]:
    """Return the groups of the periods that start in a span, newest first."""
    statement, parameters = _of_period(period, span, (_WINDOWS, _HOURS_AND_DAYS))
    bound = page.parameters("start", "method", "currency", "status")
    newest = span.end if page.after is None else page.after[0]
    parameters |= {**bound, **wanted.parameters(), "newest": newest}
    rows = connection.execute(statement, parameters).all()

    def group(row: Any) -> WindowGroup:
        amounts: dict[str, Any] = {
            name: at_scale(getattr(row, name), row.currency_name)
            for name in WindowGroup.__struct_fields__
            if name.startswith("amount_")
        }
        return WindowGroup(
            window_start=row.period_start,
            window_end=row.period_start + period.duration,
            payment_method=row.method_name,
            currency=row.currency_name,
            payment_status=row.status_name,
            payment_count=row.payment_count,
            distinct_customers=row.distinct_customers,
            distinct_merchants=row.distinct_merchants,
            revision=row.revision,
            is_final=row.is_final,
            **amounts,
        )

    return listing(rows, page, _group_key, group)


def throughput(
    connection: Connection, period: PeriodLength, span: Span, page: Page
) -> Listing[Throughput]:
    """Return counts and ratios of the periods that start in a span, newest first."""
    bound = page.parameters("start")
    if page.after is not None:
        span = Span(span.start, page.after[0])

    def read(start: datetime) -> Sequence[Any]:
        part = Span(start, span.end)
        statement, parameters = _of_period(period, part, (_THROUGHPUT, _THROUGHPUT_OF_PERIODS))
        return connection.execute(statement, parameters | bound).all()

    is_windows = period is PeriodLength.five_minutes
    rows = newest_rows(read, span, page) if is_windows else read(span.start)

    def counts(row: Any) -> Throughput:
        return Throughput(
            row.period_start,
            row.payment_count,
            row.failed_count,
            row.cancelled_count,
            _ratio(row.failed_count, row.failed_count + row.completed_count),
            _ratio(row.failed_count + row.cancelled_count, row.payment_count),
        )

    return listing(rows, page, lambda row: (row.period_start,), counts)


def _of_period(
    period: PeriodLength, span: Span, statements: tuple[Any, Any]
) -> tuple[Any, dict[str, Any]]:
    """Return the statement of a period's length, for windows or for longer ones, and its span."""
    if period is PeriodLength.five_minutes:
        return statements[0], span.parameters()
    first = _first_start(span.start, period)
    last = span.end - datetime.resolution
    return statements[1], {
        "length": period.value,
        "duration": period.duration,
        "first": first,
        "last": last,
    }


def _first_start(instant: datetime, period: PeriodLength) -> datetime:
    """Return the first start of a period at or after an instant."""
    start = period_of(instant, period).start
    return start if start == instant else start + period.duration


def _group_key(row: Any) -> Key:
    return row.period_start, row.payment_method, row.currency, row.payment_status


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None
