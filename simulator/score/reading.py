"""Reads what the pipeline said of a span of event time: one statement for each way of speaking."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Connection, text

from shared_code.domain.vocabularies import PaymentStatus, QualityFlag
from shared_code.domain.windows import Window
from shared_code.errors import PaymentsError
from shared_code.settings import SettingsError, load_database_settings
from shared_code.store.database import Database
from simulator.ledger import EventKey
from simulator.score.errors import DatabaseUnreachable, InvalidDatabase

# A million payments are read through; the functions' patience would be a little short.
_STATEMENT_TIMEOUT: Final = timedelta(minutes=10)
# What rules found; the rest is about the pipeline or about a rule itself.
_ALERT_KINDS: Final = ("threshold", "payment", "velocity", "sequence", "score")

_ALERTS_OF_SPAN: Final = """
    kind = ANY(:kinds) AND last_seen >= :start AND first_seen <= :end
"""
_ALERTS: Final = text(f"""
    SELECT rule_id, CAST(subject AS jsonb),
           jsonb_path_query_array(evidence, '$.payments[*].transaction_id'),
           first_seen, last_seen, raised_at
    FROM open_alerts
    WHERE {_ALERTS_OF_SPAN}
    ORDER BY first_seen, rule_id, alert_id
""")  # noqa: S608 - made of a constant
_UNSEEN: Final = text(f"""
    SELECT count(*) FILTER (WHERE withdrawn_at IS NOT NULL),
           count(*) FILTER (WHERE withdrawn_at IS NULL AND suppression_id IS NOT NULL)
    FROM alerts
    WHERE {_ALERTS_OF_SPAN}
""")  # noqa: S608 - likewise
_CAPPED: Final = text("""
    SELECT DISTINCT rule_id FROM alerts
    WHERE kind = 'too_many_alerts' AND last_seen >= :start AND first_seen <= :end
    ORDER BY rule_id
""")
_MATCHES: Final = text("""
    SELECT rule_id, transaction_id, payment_status, event_time
    FROM rule_matches
    WHERE event_time >= :start AND event_time < :end AND rule_id = ANY(:rules)
""")
_FLAGS: Final = text("""
    SELECT quality_flags, transaction_id, payment_status, event_time
    FROM normalized_transactions
    WHERE event_time >= :start AND event_time < :end AND quality_flags & :flags <> 0
""")
# The whole of a refused event's id, as JSON writes it; what needs an escape is not looked for.
_REFUSED: Final = text(r"""
    SELECT DISTINCT encode(body_hash, 'hex'), reason,
           substring(body FROM '"transaction_id"\s*:\s*"([^"\\]{1,64})"')
    FROM rejected_events
    WHERE rejected_at >= :start - interval '1 day'
    ORDER BY 1, 2
""")
_STORED: Final = text("""
    SELECT wanted.place, payment.enqueued_at, payment.stored_at
    FROM unnest(CAST(:transaction_ids AS text[]), CAST(:statuses AS smallint[]),
                CAST(:times AS timestamptz[]))
         WITH ORDINALITY AS wanted (transaction_id, payment_status, event_time, place)
    JOIN normalized_transactions AS payment USING (event_time, transaction_id, payment_status)
    WHERE payment.event_time BETWEEN :first AND :last
""")
_PAYMENTS: Final = text("""
    SELECT count(*) FROM normalized_transactions WHERE event_time >= :start AND event_time < :end
""")
_OPEN_WINDOWS: Final = text("""
    SELECT count(*)
    FROM (
        SELECT window_start FROM window_marks UNION SELECT window_start FROM rule_marks
    ) AS waiting
    WHERE window_start >= :start AND window_start < :end
""")
_RULES: Final = text("""
    SELECT DISTINCT rule_id
    FROM rules
    WHERE rule_set IN (
        SELECT rule_set FROM normalized_transactions
        WHERE event_time >= :start AND event_time < :end
        UNION
        SELECT rule_set FROM window_revisions WHERE window_start >= :start AND window_start < :end
    )
""")


class StoredAlert(NamedTuple):
    """An alert that people see.

    Attributes:
        rule_id: of the rule that raised it.
        subject: whom it is about, by rule fields.
        shown: ids of the payments in its evidence, the last few.
        first_seen: event time.
        last_seen: likewise.
        raised_at: by the database's clock.
    """

    rule_id: str
    subject: Mapping[str, str | None]
    shown: Sequence[str]
    first_seen: datetime
    last_seen: datetime
    raised_at: datetime

    @property
    def about(self) -> EventKey | None:
        """The payment event that it is about, None if it is about something else."""
        transaction_id = self.subject.get("transaction_id")
        status = self.subject.get("payment_status")
        if transaction_id is None or status is None:
            return None
        return EventKey(transaction_id, status, self.first_seen)


class StoredRefusal(NamedTuple):
    """An event that was refused, however often it was sent."""

    body_hash: str
    reason: str
    transaction_id: str | None


class Arrival(NamedTuple):
    """When a stored payment arrived in the event hub, if that is known, and in the database."""

    enqueued_at: datetime | None
    stored_at: datetime


@contextmanager
def pipeline_database(
    url: str | None, environment: Mapping[str, str] = os.environ
) -> Iterator[Connection]:
    """Connect to the pipeline's database for one look at it: all statements see the same state.

    Args:
        url: of the database; None for what the app settings say.
        environment: the app settings, as the functions take them.

    Raises:
        InvalidDatabase: there is no URL, or it is none, or names something else than PostgreSQL.
        DatabaseUnreachable: no answer, or none in time.
    """
    values = dict(environment) if url is None else {**environment, "DATABASE_URL": url}
    try:
        settings = load_database_settings(values)
    except SettingsError as error:
        msg = f"{error}; --database-url takes its place"
        raise InvalidDatabase(msg) from None
    database = Database(replace(settings, statement_timeout=_STATEMENT_TIMEOUT))
    try:
        with database.transaction("REPEATABLE READ") as connection:
            yield connection
    except PaymentsError as error:
        msg = f"cannot read the pipeline's database: {error}"
        raise DatabaseUnreachable(msg) from error
    finally:
        database.engine.dispose()


def alerts_of(connection: Connection, span: Window) -> list[StoredAlert]:
    """Return the alerts of rules, neither withdrawn nor suppressed, that overlap a span."""
    parameters = {"kinds": list(_ALERT_KINDS), **span._asdict()}
    return [StoredAlert(*row) for row in connection.execute(_ALERTS, parameters)]


def unseen_alerts(connection: Connection, span: Window) -> tuple[int, int]:
    """Return how many alerts that overlap a span were withdrawn, and how many are suppressed."""
    parameters = {"kinds": list(_ALERT_KINDS), **span._asdict()}
    withdrawn, suppressed = connection.execute(_UNSEEN, parameters).one()
    return withdrawn, suppressed


def capped_rules(connection: Connection, span: Window) -> list[str]:
    """Return the rules that found more in some window than they raised alerts for."""
    return list(connection.execute(_CAPPED, span._asdict()).scalars())


def matches_of(
    connection: Connection, span: Window, rules: Collection[str]
) -> Iterator[tuple[str, EventKey]]:
    """Yield each payment event of a span that one of some transaction rules matched."""
    parameters = {"rules": sorted(rules), **span._asdict()}
    for rule, *key in connection.execute(_MATCHES, parameters):
        yield rule, EventKey(*key)


def flags_of(
    connection: Connection, span: Window, flags: Collection[str]
) -> Iterator[tuple[str, EventKey]]:
    """Yield each payment event of a span that has one of some quality flags."""
    wanted = {flag: QualityFlag[flag].value for flag in sorted(flags)}
    parameters = {"flags": sum(wanted.values()), **span._asdict()}
    for found, transaction_id, status, event_time in connection.execute(_FLAGS, parameters):
        key = EventKey(transaction_id, PaymentStatus(status).name, event_time)
        yield from ((flag, key) for flag, number in wanted.items() if found & number)


def refusals_of(connection: Connection, span: Window) -> list[StoredRefusal]:
    """Return what was refused from a day before a span on, each event once for each reason.

    A refused event has no event time to go by. It can be sent before its time, by a simulation of
    the future, but not by more than the day for which other events are taken.
    """
    rows = connection.execute(_REFUSED, {"start": span.start})
    return [StoredRefusal(*row) for row in rows]


def arrivals_of(connection: Connection, keys: Collection[EventKey]) -> dict[EventKey, Arrival]:
    """Return when payment events arrived; one that is not stored is left out."""
    if not keys:
        return {}
    ordered = list(keys)
    times = [key.event_time for key in ordered]
    parameters = {
        "transaction_ids": [key.transaction_id for key in ordered],
        "statuses": [PaymentStatus[key.payment_status].value for key in ordered],
        "times": times,
        "first": min(times),
        "last": max(times),
    }
    rows = connection.execute(_STORED, parameters)
    return {ordered[place - 1]: Arrival(*arrival) for place, *arrival in rows}


def stored_payments(connection: Connection, span: Window) -> int:
    """Return how many payment events of a span are stored."""
    return int(connection.execute(_PAYMENTS, span._asdict()).scalar_one())


def open_windows(connection: Connection, span: Window) -> int:
    """Return how many windows of a span wait to be closed, or to be judged again."""
    return int(connection.execute(_OPEN_WINDOWS, span._asdict()).scalar_one())


def rules_of(connection: Connection, span: Window) -> frozenset[str]:
    """Return the rules of all rule sets by which payments of a span were judged."""
    return frozenset(connection.execute(_RULES, span._asdict()).scalars())
