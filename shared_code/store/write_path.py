"""Writes one batch of judged payments in one transaction.

Rows go straight into the tables that keep them, after a look at which of them are there already:
through staging tables the server would take each row up twice. Nothing that another instance might
update is updated here: counters are appended as deltas and folded later (``folding``), windows to
look at are appended as marks.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from shared_code.domain.decoding import RejectedEvent
from shared_code.domain.normalised_payment import AcceptedPayment
from shared_code.rules.columns import Columns
from shared_code.rules.findings import Matches
from shared_code.store.array_text import array_text, quoted_array_text
from shared_code.store.copy_metrics import copy_metrics, metric_rows
from shared_code.store.copy_payments import COPY_PAYMENTS, payment_rows
from shared_code.store.deltas import append_deltas
from shared_code.store.tables import rejected_events

# One descent of the index for each payment, whatever is stored: a join would let the planner read
# all of the moment. The bounds spare it every day but those of the batch.
_STANDING: Final = """
    SELECT batch.position - 1, stored.content_hash
    FROM unnest(
        CAST(%(times)s AS timestamptz[]), CAST(%(ids)s AS text[]), CAST(%(statuses)s AS smallint[])
    ) WITH ORDINALITY AS batch (event_time, transaction_id, payment_status, position)
    CROSS JOIN LATERAL (
        SELECT content_hash
        FROM normalized_transactions AS payment
        WHERE payment.event_time = batch.event_time
          AND payment.transaction_id = batch.transaction_id
          AND payment.payment_status = batch.payment_status
          AND payment.event_time BETWEEN %(earliest)s AND %(latest)s
        OFFSET 0
    ) AS stored
"""
# Read in one piece, as a rule; the driver would take 8 KiB at a time.
_COPY_PIECE: Final = 1 << 20
_COPY_METRICS: Final = {shadow: copy_metrics(shadow=shadow) for shadow in (False, True)}
_INSERT_REJECTED: Final = insert(rejected_events).on_conflict_do_nothing()


class RuleSetMatches(NamedTuple):
    """What one rule set says of a batch; rows are positions in its payments."""

    rule_set: int
    matches: Iterable[Matches]


def standing_hashes(connection: Connection, columns: Columns) -> Mapping[int, bytes]:
    """Return which payments' identities are stored, by position, and the hash of what stands there.

    Args:
        connection: in a transaction of READ COMMITTED isolation.
        columns: of payments of distinct identities, in the order of their identity.
    """
    if not columns.size:
        return {}
    times = columns.values("event_time")
    # By the driver, as COPY is: for a batch of a hundred SQLAlchemy's part would be half of this.
    cursor: Any = connection.connection.cursor()
    cursor.execute(
        _STANDING,
        {
            "times": array_text(map(datetime.isoformat, times)),
            "ids": quoted_array_text(columns.values("transaction_id")),
            "statuses": array_text(columns.values("payment_status")),
            "earliest": times[0],
            "latest": times[-1],
        },
    )
    return {position: bytes(content_hash) for position, content_hash in cursor}


def write_payments(
    connection: Connection,
    payments: Sequence[AcceptedPayment],
    columns: Columns,
    judged: RuleSetMatches,
    *,
    enqueued_at: datetime | None,
    shadow: RuleSetMatches | None = None,
) -> None:
    """Store payments, their metrics, deltas and marks.

    Args:
        connection: in the transaction in which none of their identities was found stored.
        payments: of distinct identities, in the order of their identity: two batches that share
            payments wait for each other and never lock each other up.
        columns: of these payments.
        judged: what the active rule set says of them.
        enqueued_at: when Event Hubs took the first message of the batch; None if unknown.
        shadow: what a candidate rule set would say of them.

    Raises:
        psycopg2.errors.UniqueViolation: another instance stored one of them meanwhile; see
            ``StoredMeanwhile``.
    """
    if not payments:
        return
    cursor: Any = connection.connection.cursor()
    rows = payment_rows(
        columns,
        content_hashes=[accepted.content_hash for accepted in payments],
        metadata=[accepted.metadata for accepted in payments],
        rule_set=judged.rule_set,
        enqueued_at=enqueued_at,
    )
    cursor.copy_expert(COPY_PAYMENTS, io.BytesIO(rows), _COPY_PIECE)
    _copy_metrics(cursor, columns, judged, shadow=False)
    if shadow is not None:
        _copy_metrics(cursor, columns, shadow, shadow=True)
    append_deltas(cursor, columns)


def _copy_metrics(cursor: Any, columns: Columns, judged: RuleSetMatches, *, shadow: bool) -> None:
    rows = metric_rows(columns, judged.matches, judged.rule_set, shadow=shadow)
    cursor.copy_expert(_COPY_METRICS[shadow], io.BytesIO(rows), _COPY_PIECE)


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
