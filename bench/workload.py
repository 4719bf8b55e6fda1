"""The payments and rules that benchmarks run on, frozen so that results stay comparable."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from shared_code.domain.decoding import Message, Origin

PAYMENTS_PER_MESSAGE: Final = 50
_METHODS: Final = ("credit_card", "debit_card", "bank_transfer", "digital_wallet")
_STATUSES: Final = ("completed",) * 8 + ("failed", "pending")
_CURRENCIES: Final = ("USD", "EUR", "GBP", "CHF")
_COUNTRIES: Final = ("US", "DE", "GB", "CH", "FR")


def bodies(payments: int, seed: int, end: datetime) -> list[bytes]:
    """Return messages of 50 payments each: random ids, event times within 5 minutes before end."""
    source = random.Random(seed)
    return [
        json.dumps([payment(source, end) for _ in range(size)]).encode()
        for size in _sizes(payments)
    ]


def messages(payments: int, seed: int, end: datetime) -> list[Message]:
    """Return the same as messages of one partition."""
    return [
        Message(Origin("bench", "payments", str(seed), number), body)
        for number, body in enumerate(bodies(payments, seed, end))
    ]


def recent() -> datetime:
    """Return the time that workloads end at: now, so that today's partition is used."""
    return datetime.now(UTC)


def rules_document() -> bytes:
    """Return twenty transaction rules that give five metrics per payment on average."""
    rules = [
        _rule("volume", {"field": "amount", "operator": "gte", "value": 0}),
        _rule("completed", {"field": "payment_status", "operator": "eq", "value": "completed"}),
        _rule(
            "domestic",
            {
                "field": "customer.country",
                "operator": "eq",
                "value": {"field": "merchant.country"},
            },
        ),
        _rule(
            "cards",
            {
                "field": "payment_method",
                "operator": "in",
                "value": ["credit_card", "debit_card"],
            },
        ),
        _rule("over_100", {"field": "amount", "operator": "gte", "value": 100}),
        _rule("online", {"field": "channel", "operator": "eq", "value": "web"}),
        *[
            _rule(
                f"over_{bound}",
                {
                    "all": [
                        {"field": "amount", "operator": "gte", "value": bound},
                        {"field": "currency", "operator": "in", "value": ["USD", "EUR"]},
                    ]
                },
            )
            for bound in (1000, 1500, 2000, 2500, 3000, 4000, 5000, 7500, 10000)
        ],
        _rule("failed", {"field": "payment_status", "operator": "eq", "value": "failed"}),
        _rule("risky", {"field": "customer.country", "operator": "in", "value": ["IR", "KP"]}),
        _rule("round", {"field": "amount", "operator": "is_round_amount", "value": 1000}),
        _rule("night", {"field": "event_time", "operator": "hour_between", "value": [0, 1]}),
        _rule(
            "no_customer",
            {
                "field": "quality_flags",
                "operator": "eq",
                "value": "customer_id_missing",
            },
        ),
    ]
    return json.dumps({"version": "1.0.0", "rules": rules}).encode()


def _rule(name: str, when: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"bench_{name}",
        "scope": "transaction",
        "description": "Part of the frozen benchmark workload.",
        "category": "bench",
        "severity": "info",
        "metric": {"name": f"bench_{name}", "type": "amount"},
        "indeterminate": "ignore",
        "when": when,
        "value": {"field": "amount"},
    }


def _sizes(payments: int) -> list[int]:
    whole, rest = divmod(payments, PAYMENTS_PER_MESSAGE)
    return [PAYMENTS_PER_MESSAGE] * whole + ([rest] if rest else [])


def payment(source: random.Random, end: datetime) -> dict[str, Any]:
    """Return a payment of the five minutes before end, as it stands in JSON."""
    identifier = f"{source.getrandbits(128):032x}"
    country = source.choice(_COUNTRIES)
    time = end - timedelta(microseconds=source.randrange(300_000_000))
    customer = source.randrange(100_000)
    return {
        "transaction_id": identifier,
        "event_time": time.isoformat(),
        "amount": f"{source.lognormvariate(4, 1.4):.2f}",
        "currency": source.choice(_CURRENCIES),
        "payment_method": source.choice(_METHODS),
        "payment_status": source.choice(_STATUSES),
        "channel": source.choice(("web", "mobile_app", "point_of_sale")),
        "device_type": source.choice(("desktop", "mobile")),
        "customer": {
            "id": f"customer-{customer}",
            "email": f"person{customer}@example.com",
            "country": country,
        },
        "merchant": {
            "id": f"merchant-{source.randrange(2000)}",
            "name": "A Merchant Ltd",
            "category": "retail",
            "mcc": "5411",
            "country": country if source.random() < 0.85 else source.choice(_COUNTRIES),
        },
        "card": {"brand": "visa", "bin": "411111", "last4": f"{source.randrange(10_000):04}"},
        "metadata": {"session": f"{source.getrandbits(64):016x}", "attempt": 1},
    }
