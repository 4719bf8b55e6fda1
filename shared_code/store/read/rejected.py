"""What was refused and why, bodies masked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, text

from shared_code.store.read.paging import Key, Listing, Page, Span, listing

# Events of one batch are refused in the same instant. What orders them beyond that is where their
# rows lie, since the hash of a body, which would do, is no one's to see.
_REJECTED: Final = text("""
    SELECT rejected_at, reason, detail, eventhub_namespace, event_hub, partition_id,
           sequence_number, event_index, masked_body, CAST(row_place AS text) AS place
    FROM masked_rejected_events
    WHERE rejected_at >= :start AND rejected_at < :end AND rejected_at <= :newest
      AND (CAST(:reasons AS text[]) IS NULL OR reason = ANY(CAST(:reasons AS text[])))
      AND (CAST(:after_rejected_at AS timestamptz) IS NULL
           OR (rejected_at, row_place)
              < (CAST(:after_rejected_at AS timestamptz), CAST(:after_place AS tid)))
    ORDER BY rejected_at DESC, row_place DESC
    LIMIT :more
""")
_REASONS: Final = text("""
    SELECT reason, count(*) AS event_count
    FROM masked_rejected_events
    WHERE rejected_at >= :start AND rejected_at < :end
    GROUP BY reason
    HAVING CAST(:after_count AS bigint) IS NULL
        OR (count(*), reason) < (CAST(:after_count AS bigint), CAST(:after_reason AS text))
    ORDER BY count(*) DESC, reason DESC
    LIMIT :more
""")


class RejectedEvent(msgspec.Struct, frozen=True):
    """A refused event. Its body keeps its shape: keys, and no other text and no number.

    Of what was found to be wrong, ``detail`` tells short codes only: up to 16 letters of ASCII and
    underscores.
    """

    rejected_at: datetime
    reason: str
    detail: str
    eventhub_namespace: str
    event_hub: str
    partition_id: str
    sequence_number: int
    event_index: int
    masked_body: str


class RejectReasonCount(msgspec.Struct, frozen=True):
    """How many events were refused for one reason."""

    reason: str
    count: int


def rejected_events(
    connection: Connection, span: Span, page: Page, reasons: Sequence[str] | None
) -> Listing[RejectedEvent]:
    """Return what was refused in a span, newest first; None means for any reason."""
    parameters = {
        **span.parameters(),
        **page.parameters("rejected_at", "place"),
        "newest": span.end if page.after is None else page.after[0],
        "reasons": list(reasons) if reasons else None,
    }
    return listing(connection.execute(_REJECTED, parameters).all(), page, _key, _event)


def reject_reasons(connection: Connection, span: Span, page: Page) -> Listing[RejectReasonCount]:
    """Return how many events were refused in a span for which reason, most often first."""
    parameters = {**span.parameters(), **page.parameters("count", "reason")}
    rows = connection.execute(_REASONS, parameters).all()

    def count(row: Any) -> RejectReasonCount:
        return RejectReasonCount(row.reason, row.event_count)

    return listing(rows, page, lambda row: (row.event_count, row.reason), count)


def _key(row: Any) -> Key:
    return row.rejected_at, row.place


def _event(row: Any) -> RejectedEvent:
    return RejectedEvent(*(getattr(row, name) for name in RejectedEvent.__struct_fields__))
