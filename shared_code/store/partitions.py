"""Day partitions of payments and metrics: attached ahead, dropped behind the horizon."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, text

from shared_code.store.database import classified_errors

DAYS_AHEAD: Final = 15
DAYS_AHEAD_ALERT: Final = 7

_ATTACHED: Final = text("""
    SELECT to_date(right(part.relname, 8), 'YYYYMMDD') AS day
    FROM pg_inherits
    JOIN pg_class AS parent ON parent.oid = pg_inherits.inhparent
    JOIN pg_class AS part ON part.oid = pg_inherits.inhrelid
    WHERE parent.oid = to_regclass(:parent) AND NOT pg_inherits.inhdetachpending
    ORDER BY day
""")
_PENDING: Final = text("""
    SELECT part.relname
    FROM pg_inherits
    JOIN pg_class AS part ON part.oid = pg_inherits.inhrelid
    WHERE inhparent = to_regclass(:parent) AND inhdetachpending
""")
_LEFT_OVER: Final = text("""
    SELECT relname
    FROM pg_class
    WHERE relname ~ ('^' || :parent || '_p[0-9]{8}$') AND relkind = 'r' AND NOT relispartition
    ORDER BY relname
""")
_OPEN_MARKS: Final = text("""
    SELECT EXISTS (SELECT FROM window_marks WHERE window_start < :before)
        OR EXISTS (SELECT FROM rule_marks WHERE window_start < :before)
        OR EXISTS (SELECT FROM roll_up_marks WHERE period_start < :before)
""")

PARENTS: Final = ("normalized_transactions", "dynamic_metrics")


class AttachedDays(NamedTuple):
    """The days, both inclusive, for which payments can be stored."""

    first: date
    last: date


def attach_days(connection: Connection, first_day: date, last_day: date) -> int:
    """Attach the partitions of the days from first to last inclusive; return how many were new."""
    statement = text("SELECT attach_payment_days(:first_day, :last_day)")
    parameters = {"first_day": first_day, "last_day": last_day}
    return int(connection.execute(statement, parameters).scalar_one())


def keep_days_attached(connection: Connection, now: datetime, retention: timedelta) -> int:
    """Attach every day of the horizon and fifteen days ahead; return how many were new."""
    first_day = (now - retention).date()
    return attach_days(connection, first_day, now.date() + timedelta(days=DAYS_AHEAD))


def every_attached_day(connection: Connection) -> frozenset[date]:
    """Return the days whose payments are kept, those before a gap, too."""
    return frozenset(connection.execute(_ATTACHED, {"parent": PARENTS[0]}).scalars())


def attached_days(connection: Connection) -> AttachedDays | None:
    """Return the unbroken span of days, up to the last one, that payments can be stored for.

    Days before a gap do not count: a payment of the gap would wait for its day for ever.
    """
    days = sorted(every_attached_day(connection))
    if not days:
        return None
    first = last = days[-1]
    for day in reversed(days[:-1]):
        if first - day > timedelta(days=1):
            break
        first = day
    return AttachedDays(first, last)


def drop_days_before(engine: Engine, horizon: datetime) -> list[str]:
    """Drop the partitions whose days lie wholly before ``horizon``; return their names.

    Needs the rights of the schema's owner, and a connection straight to PostgreSQL: a partition is
    detached concurrently, outside any transaction, so that no writer waits. A day keeps its
    partition while one of its windows waits to be closed, judged again or rolled up. What an
    interrupted run left detached is dropped as well.

    Raises:
        StoreUnavailable: the database failed; the next run goes on from there.
    """
    dropped: list[str] = []
    first_kept = datetime.combine(horizon.date(), time.min, UTC)
    with (
        classified_errors(),
        engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        if connection.execute(_OPEN_MARKS, {"before": first_kept}).scalar_one():
            return dropped
        # What is set for this connection ends with it: it does not go back to the pool.
        connection.detach()
        connection.execute(text("SET lock_timeout = '10s'"))
        for parent in PARENTS:
            for name in connection.execute(_PENDING, {"parent": parent}).scalars().all():
                connection.execute(text(f"ALTER TABLE {parent} DETACH PARTITION {name} FINALIZE"))
            for day in connection.execute(_ATTACHED, {"parent": parent}).scalars().all():
                if day < first_kept.date():
                    name = f"{parent}_p{day:%Y%m%d}"
                    statement = f"ALTER TABLE {parent} DETACH PARTITION {name} CONCURRENTLY"
                    connection.execute(text(statement))
            for name in connection.execute(_LEFT_OVER, {"parent": parent}).scalars().all():
                connection.execute(text(f"DROP TABLE {name}"))
                dropped.append(name)
    return dropped
