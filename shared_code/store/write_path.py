"""Writes one batch of judged payments in one transaction.

Nothing that another instance might update is updated here: counters are appended as deltas and
folded later (``folding``), windows to look at are appended as marks.
"""

import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert

from shared_code.domain.decoding import RejectedEvent
from shared_code.domain.normalised_payment import AcceptedPayment
from shared_code.rules.findings import Matches
from shared_code.store.copy_text import (
    MATCH_COLUMNS,
    PAYMENT_COLUMNS,
    match_rows,
    payment_rows,
)
from shared_code.store.tables import rejected_events

_STAGED_PAYMENTS_SHAPE: Final = """
    ordinal integer, event_time timestamptz, payment_status smallint, payment_method smallint,
    currency smallint, channel smallint, device_type smallint, customer_country smallint,
    merchant_country smallint, merchant_mcc smallint, counterparty_country smallint,
    quality_flags integer, amount numeric, customer_email_hash bytea, content_hash bytea,
    transaction_id text COLLATE "C", customer_id text, customer_email_domain text,
    merchant_id text, merchant_name text, merchant_category text, card_brand text, card_bin text,
    card_last4 text, card_fingerprint text, counterparty_id text, original_transaction_id text,
    metadata jsonb
"""
_STAGED_MATCHES_SHAPE: Final = (
    "ordinal integer, rule smallint, outcome smallint, value numeric, rate numeric"
)


def _named_after_shape(name: str, shape: str) -> str:
    """Return a table name that changes with the shape.

    Behind PgBouncer a connection may still hold the temporary table of an older release.
    """
    return f"{name}_{hashlib.blake2b(shape.encode(), digest_size=4).hexdigest()}"


_PAYMENTS: Final = _named_after_shape("staged_payments", _STAGED_PAYMENTS_SHAPE)
_MATCHES: Final = _named_after_shape("staged_matches", _STAGED_MATCHES_SHAPE)
_SHADOW_MATCHES: Final = _named_after_shape("staged_shadow_matches", _STAGED_MATCHES_SHAPE)
_STORED: Final = ", ".join(name for name in PAYMENT_COLUMNS if name != "ordinal")

# Kept for the life of the connection and emptied at each commit: creating and dropping a table per
# batch would bloat the catalogue.
_CREATE_STAGING: Final = f"""
    CREATE TEMPORARY TABLE IF NOT EXISTS {_PAYMENTS} ({_STAGED_PAYMENTS_SHAPE})
        ON COMMIT DELETE ROWS;
    CREATE TEMPORARY TABLE IF NOT EXISTS {_MATCHES} ({_STAGED_MATCHES_SHAPE})
        ON COMMIT DELETE ROWS
"""
_CREATE_SHADOW_STAGING: Final = f"""
    CREATE TEMPORARY TABLE IF NOT EXISTS {_SHADOW_MATCHES} ({_STAGED_MATCHES_SHAPE})
        ON COMMIT DELETE ROWS
"""
_COPY_PAYMENTS: Final = f"COPY {_PAYMENTS} ({', '.join(PAYMENT_COLUMNS)}) FROM STDIN (NULL '')"
_COPY_MATCHES: Final = "COPY {table} ({columns}) FROM STDIN (NULL '')"

# Payments go in by their key's order, so that two batches that share payments wait for each other
# and never lock each other up. What was stored before falls out at ON CONFLICT, and with it its
# metrics, its delta and its mark.
_INSERT_NEW: Final = f"""
    WITH fresh AS (
        INSERT INTO normalized_transactions ({_STORED}, rule_set, enqueued_at)
        SELECT {_STORED}, :rule_set, CAST(:enqueued_at AS timestamptz)
        FROM {_PAYMENTS}
        ORDER BY event_time, transaction_id, payment_status
        ON CONFLICT (event_time, transaction_id, payment_status) DO NOTHING
        RETURNING event_time, transaction_id, payment_status, payment_method, currency, amount
    ), metrics AS (
        INSERT INTO dynamic_metrics
            (event_time, transaction_id, payment_status, rule_set, rule, outcome, value, rate)
        SELECT event_time, transaction_id, payment_status, :rule_set, rule, outcome, value, rate
        FROM fresh
        JOIN {_PAYMENTS} USING (event_time, transaction_id, payment_status)
        JOIN {_MATCHES} USING (ordinal)
    ){{shadow}}, deltas AS (
        INSERT INTO window_deltas
            (window_start, payment_method, currency, payment_status,
             payment_count, amount_sum, amount_min, amount_max)
        SELECT date_bin('5 minutes', event_time, TIMESTAMPTZ 'epoch') AS window_start,
               payment_method, currency, payment_status,
               count(*), sum(amount), min(amount), max(amount)
        FROM fresh
        GROUP BY 1, 2, 3, 4
        RETURNING window_start
    ), marks AS (
        INSERT INTO window_marks (window_start)
        SELECT DISTINCT window_start FROM deltas
    )
    SELECT count(*) FROM fresh
"""
_INSERT_SHADOW: Final = f"""
    , shadow_metrics AS (
        INSERT INTO dynamic_metrics
            (event_time, transaction_id, payment_status, rule_set, rule, outcome, value, rate,
             shadow)
        SELECT event_time, transaction_id, payment_status, :shadow_rule_set, rule, outcome, value,
               rate, true
        FROM fresh
        JOIN {_PAYMENTS} USING (event_time, transaction_id, payment_status)
        JOIN {_SHADOW_MATCHES} USING (ordinal)
    )
"""
_INSERT: Final = text(_INSERT_NEW.format(shadow=""))
_INSERT_WITH_SHADOW: Final = text(_INSERT_NEW.format(shadow=_INSERT_SHADOW))
# A statement of its own: only a new snapshot sees what another instance committed meanwhile. The
# bounds spare it all days but those of the batch.
_FIND_CONFLICTS: Final = text(f"""
    SELECT staged.ordinal, stored.content_hash
    FROM {_PAYMENTS} AS staged
    JOIN normalized_transactions AS stored USING (event_time, transaction_id, payment_status)
    WHERE stored.content_hash <> staged.content_hash
      AND stored.event_time BETWEEN :earliest AND :latest
    ORDER BY staged.ordinal
""")
_INSERT_REJECTED: Final = insert(rejected_events).on_conflict_do_nothing()


class Written(NamedTuple):
    """What a batch changed.

    ``conflicts`` maps positions of payments whose identity is stored with other content, and which
    were therefore not stored, to the hash of that content.
    """

    stored: int
    conflicts: Mapping[int, bytes]


class RuleSetMatches(NamedTuple):
    """What one rule set says of a batch; rows are positions in its payments."""

    rule_set: int
    matches: Iterable[Matches]


def write_payments(
    connection: Connection,
    payments: Sequence[AcceptedPayment],
    judged: RuleSetMatches,
    *,
    enqueued_at: datetime | None,
    shadow: RuleSetMatches | None = None,
) -> Written:
    """Store the payments that are not stored yet, with their metrics, deltas and marks.

    Args:
        connection: in a transaction of READ COMMITTED isolation.
        payments: of distinct identities.
        judged: what the active rule set says of these payments.
        enqueued_at: when Event Hubs took the first message of the batch; None if unknown.
        shadow: what a candidate rule set would say of them.
    """
    if not payments:
        return Written(0, {})
    stage(connection, payments, judged.matches)
    if shadow is not None:
        connection.execute(text(_CREATE_SHADOW_STAGING))
        _copy_matches(connection, _SHADOW_MATCHES, shadow.matches)
    stored = insert_new(
        connection,
        rule_set=judged.rule_set,
        enqueued_at=enqueued_at,
        shadow_rule_set=None if shadow is None else shadow.rule_set,
    )
    if stored == len(payments):
        return Written(stored, {})
    times = [accepted.payment.event_time for accepted in payments]
    found = connection.execute(_FIND_CONFLICTS, {"earliest": min(times), "latest": max(times)})
    return Written(stored, {ordinal: bytes(content_hash) for ordinal, content_hash in found})


def stage(
    connection: Connection, payments: Sequence[AcceptedPayment], matches: Iterable[Matches]
) -> None:
    """Copy payments and their matches into the connection's staging tables."""
    connection.execute(text(_CREATE_STAGING))
    cursor: Any = connection.connection.cursor()
    cursor.copy_expert(_COPY_PAYMENTS, io.StringIO(payment_rows(payments)))
    _copy_matches(connection, _MATCHES, matches)


def _copy_matches(connection: Connection, table: str, matches: Iterable[Matches]) -> None:
    cursor: Any = connection.connection.cursor()
    statement = _COPY_MATCHES.format(table=table, columns=", ".join(MATCH_COLUMNS))
    cursor.copy_expert(statement, io.StringIO(match_rows(matches)))


def insert_new(
    connection: Connection,
    *,
    rule_set: int,
    enqueued_at: datetime | None,
    shadow_rule_set: int | None = None,
) -> int:
    """Insert what is staged and new, with metrics, deltas and marks; return how many payments."""
    parameters: dict[str, Any] = {"rule_set": rule_set, "enqueued_at": enqueued_at}
    if shadow_rule_set is None:
        return int(connection.execute(_INSERT, parameters).scalar_one())
    parameters["shadow_rule_set"] = shadow_rule_set
    return int(connection.execute(_INSERT_WITH_SHADOW, parameters).scalar_one())


def write_rejected(connection: Connection, rejected: Sequence[RejectedEvent]) -> None:
    """Keep refused events with their reasons; the same event again changes nothing."""
    rows = [
        {
            "eventhub_namespace": event.origin.namespace,
            "event_hub": event.origin.event_hub,
            "partition_id": event.origin.partition_id,
            "sequence_number": event.origin.sequence_number,
            "event_index": event.event_index,
            "body_hash": event.body_hash,
            "reason": str(event.reason),
            "detail": event.detail,
            "body": event.body,
        }
        for event in sorted(rejected, key=_rejected_key)
    ]
    if rows:
        connection.execute(_INSERT_REJECTED, rows)


def _rejected_key(event: RejectedEvent) -> tuple[Any, ...]:
    return (*event.origin, event.event_index, event.body_hash)
