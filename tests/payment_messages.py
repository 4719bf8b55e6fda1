"""Small factories of payment events and messages, around one fixed moment of recent days."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared_code.domain.decoding import Message, Origin

# Two days back at noon: no window, day or horizon ends near it, whenever the tests run.
NOW = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=2)
WINDOW_START = NOW - timedelta(hours=1)
FIVE_MINUTES = timedelta(minutes=5)


def payment_event(transaction_id: str = "txn-1", **fields: Any) -> dict[str, Any]:
    """Return a good payment event of the window that starts at ``WINDOW_START``.

    An ``event_time`` may be a datetime; a field given as None is left out.
    """
    event: dict[str, Any] = {
        "transaction_id": transaction_id,
        "event_time": WINDOW_START + timedelta(seconds=30),
        "amount": "10.50",
        "currency": "EUR",
        "payment_method": "bank_transfer",
        "payment_status": "completed",
        "customer": {"id": "cus-1", "email": "ada@example.com", "country": "DE"},
        "merchant": {"id": "mer-1", "country": "DE"},
    }
    event |= fields
    if isinstance(event["event_time"], datetime):
        event["event_time"] = event["event_time"].isoformat()
    return {name: value for name, value in event.items() if value is not None}


def message(
    content: bytes | Mapping[str, Any] | Sequence[Mapping[str, Any]],
    sequence_number: int = 0,
    partition_id: str = "0",
    enqueued_at: datetime | None = None,
) -> Message:
    """Return a message of raw bytes, of one payment event, or of an array of them."""
    if not isinstance(content, bytes):
        content = json.dumps(content, ensure_ascii=False).encode()
    origin = Origin("namespace", "payments", partition_id, sequence_number)
    return Message(origin, content, enqueued_at)


def messages(*contents: Any, partition_id: str = "0", first: int = 0) -> list[Message]:
    """Return one message per content, one behind the other in one partition."""
    return [message(content, first + at, partition_id) for at, content in enumerate(contents)]


def varied_events(count: int, *, prefix: str = "txn", windows: int = 3) -> list[dict[str, Any]]:
    """Return distinct good events over some windows, methods, statuses, currencies and people."""
    methods = ("credit_card", "bank_transfer", "digital_wallet")
    statuses = ("completed", "completed", "failed", "refunded")
    amounts = (("EUR", "{}.5{}"), ("JPY", "{}00"), ("KWD", "{}.1{}5"))
    events = []
    for at in range(count):
        currency, shape = amounts[at % len(amounts)]
        start = WINDOW_START + (at % windows) * FIVE_MINUTES
        events.append(
            payment_event(
                f"{prefix}-{at}",
                event_time=start + timedelta(seconds=at % 300),
                amount=shape.format(at * 37 % 1000, at % 10),
                currency=currency,
                payment_method=methods[at * 7 % len(methods)],
                payment_status=statuses[at * 5 % len(statuses)],
                customer={"id": f"cus-{at * 11 % 17}", "email": f"c{at % 17}@example.com"},
                merchant={"id": f"mer-{at * 13 % 7}", "country": "DE"} if at % 5 else None,
            )
        )
    return events
