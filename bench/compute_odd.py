"""What a contract is there for: each event is refused, flagged, masked or read in its own way.

They go through every contestant of ``bench.compute`` once and are not timed, so that what is timed
is shown to be the whole job.
"""

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from bench import workload


def odd_bodies(end: datetime) -> list[bytes]:
    """Return a message of odd events, each again in a message of its own, as a redelivery."""
    source = random.Random(0)
    events = [{**workload.payment(source, end), **change} for change in _changes(end)]
    missing = workload.payment(source, end)
    del missing["currency"]
    events.append(missing)
    return [json.dumps(each).encode() for each in (events, *([event] for event in events))]


def _changes(end: datetime) -> Iterator[dict[str, Any]]:
    yield from _of_amounts()
    yield from _of_times(end)
    yield from _of_codes()
    yield from _of_parties()
    yield from _of_cards()
    yield from _of_texts()


def _of_amounts() -> Iterator[dict[str, Any]]:
    for amount in ("0.00", "-1.00", "1.005", "12345678901234567.00", "abc", 12.5, 7, None, "010.5"):
        yield {"amount": amount}
    # On the bounds of rules.
    for amount in ("1.00", "1.01", "100.00", "300.00", "900.00", "999.99", "9500.00", "10000.00"):
        yield {"amount": amount, "currency": "EUR"}
    yield {"amount": "100", "currency": "JPY"}
    yield {"amount": "1.5", "currency": "JPY"}
    yield {"amount": "1.005", "currency": "BHD"}


def _of_times(end: datetime) -> Iterator[dict[str, Any]]:
    for event_time in (
        "yesterday",
        "2026-02-30T00:00:00Z",
        (end - timedelta(days=60)).isoformat(),
        (end + timedelta(days=2)).isoformat(),
        (end + timedelta(hours=1)).isoformat(),
        f"{end:%Y-%m-%dT%H:%M:%S}.123456999Z",
        f"{end:%Y-%m-%dT%H:%M:%S}",
    ):
        yield {"event_time": event_time}


def _of_codes() -> Iterator[dict[str, Any]]:
    yield {"currency": "XXX"}
    yield {"payment_method": "barter"}
    yield {"payment_status": "done"}
    yield {"payment_status": "refunded"}
    yield {"payment_status": "refunded", "original_transaction_id": "first"}
    yield {"channel": "carrier_pigeon", "device_type": "abacus"}
    yield {"channel": "api", "device_type": "server", "merchant": {"category": "travel"}}


def _of_parties() -> Iterator[dict[str, Any]]:
    yield {"customer": "someone"}
    yield {"customer": {}}
    yield {"customer": {"id": 17}}
    yield {"customer": {"id": "guest", "email": "nobody", "country": "XX"}}
    yield {"customer": {"id": "c", "email": " Some.One@Mailinator.COM ", "country": "KP"}}
    yield {"merchant": {"id": "m", "mcc": "54A1", "country": "XX"}}
    yield {"merchant": {"id": "m", "name": "Test\tshop\\\n", "mcc": "6051", "country": "IR"}}
    for country in ("KP", "DE", "XX", None):
        yield {
            "payment_method": "bank_transfer",
            "amount": "5000.00",
            "card": None,
            "counterparty": {"id": "account", "country": country},
        }


def _of_cards() -> Iterator[dict[str, Any]]:
    yield {"payment_method": "credit_card", "card": None}
    yield {"payment_method": "credit_card", "card": {"bin": "12", "last4": "12345"}}
    yield {"payment_method": "credit_card", "card": {"brand": "other", "fingerprint": "f"}}
    yield {"card": None, "metadata": {"note": "paid by 4111 1111 1111 1111, thanks"}}
    yield {"card": None, "merchant": {"name": "5500-0000-0000-0004"}}
    yield {"transaction_id": "4012888888881881"}
    yield {"transaction_id": "4012888888881882"}


def _of_texts() -> Iterator[dict[str, Any]]:
    yield {"transaction_id": ""}
    yield {"transaction_id": "x" * 65}
    yield {"transaction_id": None}
    yield {"merchant": {"name": "n" * 257}}
    yield {"metadata": None}
    yield {"metadata": ["no", "object"]}
    yield {"metadata": {"text": "tab\tline\nback\\slash", "nested": {"b": 1.5, "a": [True, None]}}}
    yield {"metadata": {"long": "l" * 17_000}}
