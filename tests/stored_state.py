"""Reads from a database what an oracle has an opinion of, in the oracle's own terms."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from oracle import Expected, Figures, Group, Identity, Payment, Position, Sums
from sqlalchemy import Connection, text

_PAYMENTS = text("""
    SELECT event_time, transaction_id, payment_status, amount, currency, payment_method,
           customer_id, merchant_id, counterparty_id, original_transaction_id, metadata::text
    FROM payments
""")
_REJECTED = text("SELECT partition_id, sequence_number, event_index, reason FROM rejected_events")
_STREAMED = text("""
    SELECT window_start, payment_method, currency, payment_status,
           payment_count, amount_sum, amount_min, amount_max
    FROM payment_windows
""")
_FINAL = text("""
    SELECT final.window_start, methods.name, currencies.name, statuses.name,
           payment_count, amount_sum, amount_min, amount_max,
           amount_p50, amount_p95, amount_p99, distinct_customers, distinct_merchants, amount_avg
    FROM payment_metrics_5m_final AS final
    JOIN vocabularies AS methods
      ON methods.vocabulary = 'payment_method' AND methods.number = final.payment_method
    JOIN vocabularies AS currencies
      ON currencies.vocabulary = 'currency' AND currencies.number = final.currency
    JOIN vocabularies AS statuses
      ON statuses.vocabulary = 'payment_status' AND statuses.number = final.payment_status
    WHERE revision = (
        SELECT max(revision) FROM window_revisions WHERE window_start = final.window_start
    )
""")


_MATCHES = text("""
    SELECT event_time, transaction_id, payment_status, value FROM rule_matches WHERE rule_id = :rule
""")
_STATUS_OF_RULE = {
    "completed_volume": "completed",
    "declined_payment": "failed",
    "refunded_amount": "refunded",
}


def stored_payments(connection: Connection) -> Mapping[Identity, Payment]:
    """Return all stored payments."""
    return {
        Identity(_utc(row[0]), row[1], row[2]): Payment(*row[3:10], _metadata(row[10]))
        for row in connection.execute(_PAYMENTS)
    }


def stored_rejected(connection: Connection) -> Mapping[Position, str]:
    """Return the reason of every refused event."""
    return {Position(*row[:3]): row[3] for row in connection.execute(_REJECTED)}


def stored_sums(connection: Connection) -> Mapping[Group, Sums]:
    """Return the streamed figures, folded or not."""
    return {Group(_utc(row[0]), *row[1:4]): Sums(*row[4:]) for row in connection.execute(_STREAMED)}


def stored_figures(
    connection: Connection, expected: Mapping[Group, Figures]
) -> Mapping[Group, Figures]:
    """Return the latest figures of closed windows.

    An average that equals the expected one as far as the database has digits is given exactly.
    """
    found = {}
    for row in connection.execute(_FINAL):
        group = Group(_utc(row[0]), *row[1:4])
        average = Fraction(row[13])
        wanted = expected.get(group)
        half_a_digit = Fraction(Decimal(1).scaleb(row[13].as_tuple().exponent)) / 2
        if wanted is not None and abs(wanted.average - average) <= half_a_digit:
            average = wanted.average
        found[group] = Figures(Sums(*row[4:8]), average, *row[8:13])
    return found


def assert_stored(connection: Connection, expected: Expected) -> None:
    """Assert that payments, refusals and streamed sums are those of the oracle."""
    assert stored_payments(connection) == expected.payments
    assert stored_rejected(connection) == expected.rejected
    assert stored_sums(connection) == expected.streamed


def assert_closed(connection: Connection, expected: Expected) -> None:
    """Assert that all windows are closed with the oracle's figures, and no counter differs."""
    assert stored_figures(connection, expected.final) == expected.final
    assert connection.execute(text("SELECT count(*) FROM window_marks")).scalar_one() == 0
    drift = text("SELECT count(*) FROM alerts WHERE kind = 'drift'")
    assert connection.execute(drift).scalar_one() == 0


def assert_metrics(connection: Connection, expected: Expected) -> None:
    """Assert that the shipped rules which look at the status alone matched the right payments."""
    for rule, status in _STATUS_OF_RULE.items():
        wanted = {
            identity: Decimal(1) if rule == "declined_payment" else payment.amount
            for identity, payment in expected.payments.items()
            if identity.payment_status == status
        }
        rows = connection.execute(_MATCHES, {"rule": rule}).all()
        assert {Identity(_utc(row[0]), row[1], row[2]): row[3] for row in rows} == wanted
        assert len(rows) == len(wanted)


def _utc(time: datetime) -> datetime:
    return time.astimezone(UTC)


def _metadata(stored: str | None) -> Any:
    if stored is None:
        return None
    return json.loads(stored, parse_float=Decimal, parse_int=Decimal)
