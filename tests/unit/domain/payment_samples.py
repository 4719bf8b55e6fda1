"""Small factories of payment events, messages and what surrounds them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from shared_code.domain.decoding import DecodedBatch, Message, Origin, decode_batch
from shared_code.domain.horizon import horizon_at
from shared_code.domain.pseudonyms import Pseudonymiser

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
HORIZON = horizon_at(NOW, timedelta(days=30))
PSEUDONYMISER = Pseudonymiser(b"a key of the tests, of 32 bytes.")
ORIGIN = Origin("namespace", "payments", "3", 41)

# Test numbers that the schemes and payment providers publish.
CARD_NUMBERS = {
    "visa": "4111111111111111",
    "visa of 13 digits": "4222222222222",
    "visa of 19 digits": "4000000000000000006",
    "mastercard": "5555555555554444",
    "mastercard 2-series": "2223003122003222",
    "american express": "378282246310005",
    "discover": "6011111111111117",
    "diners club": "30569309025904",
    "jcb": "3530111333300000",
    "unionpay": "6200000000000005",
    "maestro": "6759649826438453",
}


def payment_event(**fields: Any) -> dict[str, Any]:
    """Return a good payment event; a field given as None is left out."""
    event = {
        "transaction_id": "txn-1",
        "event_time": "2026-01-31T11:59:59.123456Z",
        "amount": "10.50",
        "currency": "EUR",
        "payment_method": "bank_transfer",
        "payment_status": "completed",
        "customer": {"id": "cus-1", "email": "ada@example.com", "country": "DE"},
    }
    return {name: value for name, value in (event | fields).items() if value is not None}


def body_of(event: Any) -> bytes:
    """Return JSON text in UTF-8, without escapes that are not needed."""
    return json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass")


def array_of(*items: bytes) -> bytes:
    """Return a packed message of JSON texts."""
    return b"[" + b",".join(items) + b"]"


def decode(*bodies: bytes) -> DecodedBatch:
    """Decode bodies as messages one behind the other."""
    messages = [
        Message(ORIGIN._replace(sequence_number=ORIGIN.sequence_number + at), body)
        for at, body in enumerate(bodies)
    ]
    return decode_batch(messages, PSEUDONYMISER, HORIZON)
