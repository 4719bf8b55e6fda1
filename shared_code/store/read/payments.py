"""Payments in readable form, without metadata and hashes: of a window, or named by an alert."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text

from shared_code.store.read.paging import Key, Listing, Page, Span, at_scale, listing


class Payment(msgspec.Struct, frozen=True):
    """A payment as it is stored; ``rule_set`` is the number of the set that judged it."""

    event_time: datetime
    transaction_id: str
    payment_status: str
    payment_method: str
    amount: Decimal
    currency: str
    channel: str | None
    device_type: str | None
    customer_id: str | None
    customer_country: str | None
    customer_email_domain: str | None
    merchant_id: str | None
    merchant_name: str | None
    merchant_category: str | None
    merchant_mcc: int | None
    merchant_country: str | None
    card_brand: str | None
    card_bin: str | None
    card_last4: str | None
    counterparty_id: str | None
    counterparty_country: str | None
    original_transaction_id: str | None
    quality_flags: list[str]
    rule_set: int
    enqueued_at: datetime | None
    stored_at: datetime


_COLUMNS: Final = ", ".join(f"payments.{name}" for name in Payment.__struct_fields__)
_BEHIND: Final = """
    (CAST(:after_event_time AS timestamptz) IS NULL
     OR (event_time, transaction_id, payment_status)
        < (CAST(:after_event_time AS timestamptz), CAST(:after_transaction_id AS text),
           CAST(:after_status AS text)))
"""
_NEWEST_FIRST: Final = """
    ORDER BY event_time DESC, transaction_id DESC, payment_status DESC
    LIMIT :more
"""
_KEY: Final = ("event_time", "transaction_id", "status")
_OF_SPAN: Final = text(f"""
    SELECT {_COLUMNS}
    FROM payments
    WHERE event_time >= :start AND event_time < :end AND event_time <= :newest
      AND (CAST(:methods AS text[]) IS NULL OR payment_method = ANY(CAST(:methods AS text[])))
      AND (CAST(:currencies AS text[]) IS NULL OR currency = ANY(CAST(:currencies AS text[])))
      AND (CAST(:statuses AS text[]) IS NULL OR payment_status = ANY(CAST(:statuses AS text[])))
      AND {_BEHIND}
    {_NEWEST_FIRST}
""")
# Evidence names payments wherever its rule has put them: in a list, or beside it.
_OF_ALERT: Final = text(f"""
    WITH named AS MATERIALIZED (
        SELECT DISTINCT CAST(payment ->> 'event_time' AS timestamptz) AS event_time,
               payment ->> 'transaction_id' AS transaction_id,
               payment ->> 'payment_status' AS payment_status
        FROM alerts
        CROSS JOIN LATERAL jsonb_path_query(
            evidence,
            '$.** ? (@.transaction_id.type() == "string" && @.event_time.type() == "string"
                     && @.payment_status.type() == "string")'
        ) AS payment
        WHERE alert_id = :alert_id
    )
    SELECT {_COLUMNS}
    FROM named CROSS JOIN LATERAL (
        SELECT * FROM payments
        WHERE payments.event_time = named.event_time
          AND payments.transaction_id = named.transaction_id
          AND payments.payment_status = named.payment_status
        -- Keeps one look by the key for each payment: joined to all days, every day is read.
        OFFSET 0
    ) AS payments
    WHERE {
    _BEHIND.replace(
        "event_time, transaction_id, payment_status",
        "payments.event_time, payments.transaction_id, payments.payment_status",
    )
}
    {_NEWEST_FIRST}
""")


def payments_of_window(
    connection: Connection,
    span: Span,
    page: Page,
    *,
    methods: Sequence[str] | None,
    currencies: Sequence[str] | None,
    statuses: Sequence[str] | None,
) -> Listing[Payment]:
    """Return the payments of a span of event time, newest first; None as filter means all."""
    parameters = {
        **span.parameters(),
        **page.parameters(*_KEY),
        "newest": span.end if page.after is None else page.after[0],
        "methods": list(methods) if methods else None,
        "currencies": list(currencies) if currencies else None,
        "statuses": list(statuses) if statuses else None,
    }
    return listing(connection.execute(_OF_SPAN, parameters).all(), page, _key, _payment)


def payments_of_alert(connection: Connection, alert_id: UUID, page: Page) -> Listing[Payment]:
    """Return the payments that an alert's evidence names and that are still kept, newest first."""
    parameters = {"alert_id": alert_id, **page.parameters(*_KEY)}
    return listing(connection.execute(_OF_ALERT, parameters).all(), page, _key, _payment)


def _key(row: Any) -> Key:
    return row.event_time, row.transaction_id, row.payment_status


def _payment(row: Any) -> Payment:
    values = row._asdict()
    return Payment(**values | {"amount": at_scale(row.amount, row.currency)})
