"""A plain generator of the same payment events: one at a time, with ``random`` and ``json.dumps``.

The baseline of ``bench.generate``: what one writes who has an afternoon. It draws what the
simulator draws for an ordinary payment (time by the rhythm of the day, customer by segment,
country and rank, merchant by category and country, method, channel, device, amount, outcome, life
cycle, refund, metadata, ways of writing) with the same weights, and keeps cumulative weights
where there are many, so that it is plain and not slow on purpose.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from random import Random
from typing import Any

from msgspec.structs import asdict

from shared_code.domain.currencies import CURRENCIES
from simulator.configuration.amount_settings import Bimodal, LogNormal, Pareto
from simulator.configuration.population_settings import Category
from simulator.configuration.structure import Configuration
from simulator.generation.wording import DEVICES, OFFSETS_MINUTES, TRANSFERS

_DIGITS = ("001", "500", "999")
_CARDS = (("visa", "411111"), ("mastercard", "555555"), ("discover", "601111"))


def plain_events(configuration: Configuration, events: int, start: datetime) -> Iterator[bytes]:
    """Yield ``events`` payment events as JSON."""
    generator = _Plain(configuration, start)
    made = 0
    while made < events:
        for event in generator.payment():
            yield json.dumps(event).encode()
            made += 1
            if made == events:
                return


class _Plain:
    def __init__(self, configuration: Configuration, start: datetime) -> None:
        self.random = Random(configuration.seed)
        self.start = start
        countries = configuration.countries
        country_weights = list(accumulate(country.weight for country in countries))
        self.writing = configuration.writing
        self.hours = [
            sum(segment.weight * segment.hours[hour] for segment in configuration.segments)
            for hour in range(24)
        ]
        self.segments = configuration.segments
        self.segment_weights = list(
            accumulate(segment.weight * segment.activity for segment in configuration.segments)
        )
        self.customers: dict[str, list[dict[str, Any]]] = {
            segment.name: [] for segment in configuration.segments
        }
        shares = list(accumulate(segment.weight for segment in configuration.segments))
        for number in range(configuration.population.customers):
            segment = self.random.choices(configuration.segments, cum_weights=shares)[0]
            country = self.random.choices(countries, cum_weights=country_weights)[0]
            brand, issuer = self.random.choice(_CARDS)
            self.customers[segment.name].append(
                {
                    "spending": segment.spending,
                    "country": country,
                    "customer": {
                        "id": f"customer_{number:05d}",
                        "email": f"somebody{number}@example.com",
                        "country": country.code,
                    },
                    "card": {
                        "brand": brand,
                        "bin": issuer,
                        "last4": f"{self.random.randrange(10_000):04d}",
                        "fingerprint": f"card_{number:020d}",
                    },
                    "account": {"id": f"account_{number:012d}", "country": country.code},
                }
            )
        self.customer_weights = {
            name: _ranks(len(customers), 0.7) for name, customers in self.customers.items()
        }
        self.categories = configuration.categories
        self.category_weights = list(accumulate(each.weight for each in self.categories))
        self.merchants: dict[tuple[str, str], tuple[list[dict[str, Any]], list[float]]] = {}
        for number in range(configuration.population.merchants):
            category = self.random.choices(self.categories, cum_weights=self.category_weights)[0]
            country = self.random.choices(countries, cum_weights=country_weights)[0]
            for key in ((category.name, country.code), (category.name, "")):
                self.merchants.setdefault(key, ([], []))[0].append(
                    {
                        "id": f"merchant_{number:04d}",
                        "name": f"Amber Market {number}",
                        "category": category.name,
                        "mcc": category.mcc,
                        "country": country.code,
                    }
                )
        for merchants, weights in self.merchants.values():
            weights.extend(_ranks(len(merchants), 0.6))

    def payment(self) -> Iterator[dict[str, Any]]:  # noqa: C901 - plain code, from top to bottom
        random = self.random
        customer = self.customer()
        category = random.choices(self.categories, cum_weights=self.category_weights)[0]
        place = "" if random.random() < 0.1 else customer["country"].code
        merchants, weights = (
            self.merchants.get((category.name, place)) or self.merchants[category.name, ""]
        )
        merchant = random.choices(merchants, cum_weights=weights)[0]
        method = _weighted(random, asdict(category.methods))
        hour = random.choices(range(24), weights=self.hours)[0]
        instant = self.start + timedelta(hours=hour, microseconds=random.randrange(3_600_000_000))
        if random.random() < self.writing.edge_share:
            instant = instant.replace(minute=instant.minute // 5 * 5, second=0, microsecond=0)
        event: dict[str, Any] = {
            "transaction_id": f"pay_{random.getrandbits(64):016x}",
            "event_time": self.time(instant),
            "amount": self.amount(category, customer),
            "currency": customer["country"].currency,
            "payment_method": method,
            "payment_status": "completed",
        }
        if random.random() > 0.05:
            event["channel"] = _weighted(random, asdict(category.channels))
            if method == "cash_equivalent":
                event["channel"] = "point_of_sale"
            if random.random() > 0.1:
                event["device_type"] = random.choice(DEVICES[event["channel"]])
        event["customer"] = customer["customer"]
        event["merchant"] = merchant
        if method in {"credit_card", "debit_card"}:
            event["card"] = customer["card"]
        if method in TRANSFERS:
            other = self.customer()
            while other is customer:
                other = self.customer()
            event["counterparty"] = other["account"]
        if random.random() > 0.6:
            event["metadata"] = {
                "order": f"order_{random.getrandbits(32):08x}",
                "items": random.randrange(1, 12),
                "ip": f"203.0.113.{random.randrange(256)}",
            }
        outcome = random.choices(("completed", "failed", "cancelled"), cum_weights=(92, 98, 100))[0]
        slow = method in TRANSFERS
        if random.random() < (0.55 if slow else 0.08):
            yield {**event, "payment_status": "pending"}
            instant += timedelta(
                seconds=random.uniform(30, 900) if slow else random.uniform(2, 120)
            )
            event["event_time"] = self.time(instant)
        event["payment_status"] = outcome
        yield event
        if outcome == "completed" and random.random() < 0.03:
            instant += timedelta(seconds=random.uniform(60, 1200))
            minor = CURRENCIES[event["currency"]].minor_unit
            given_back = Decimal(event["amount"])
            if random.random() < 0.33:
                given_back = round(given_back / 2, minor)
            yield {
                **event,
                "amount": f"{given_back:f}",
                "transaction_id": f"pay_{random.getrandbits(64):016x}",
                "event_time": self.time(instant),
                "payment_status": "refunded",
                "original_transaction_id": event["transaction_id"],
            }

    def customer(self) -> dict[str, Any]:
        segment = self.random.choices(self.segments, cum_weights=self.segment_weights)[0]
        weights = self.customer_weights[segment.name]
        return self.random.choices(self.customers[segment.name], cum_weights=weights)[0]

    def amount(self, category: Category, customer: dict[str, Any]) -> str:
        amounts, random = category.amounts, self.random
        dollars = amounts.maximum + 1
        while dollars > amounts.maximum:
            match amounts:
                case LogNormal():
                    dollars = amounts.median * random.lognormvariate(0, amounts.sigma)
                case Bimodal():
                    upper = random.random() < amounts.upper_share
                    median = amounts.upper_median if upper else amounts.median
                    dollars = median * random.lognormvariate(0, amounts.sigma)
                case Pareto():
                    dollars = amounts.minimum * random.paretovariate(amounts.alpha)
        country = customer["country"]
        local = dollars * customer["spending"] * country.per_dollar
        return f"{local:.{CURRENCIES[country.currency].minor_unit}f}"

    def time(self, instant: datetime) -> str:
        draw = self.random.random()
        if draw < self.writing.nanosecond_share:
            return (
                f"{instant.isoformat(timespec='microseconds')[:26]}{self.random.choice(_DIGITS)}Z"
            )
        if draw < self.writing.nanosecond_share + self.writing.offset_share:
            shift = timedelta(minutes=self.random.choice(OFFSETS_MINUTES))
            return (instant.astimezone(UTC) + shift).isoformat(timespec="microseconds")
        return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ranks(size: int, exponent: float) -> list[float]:
    return list(accumulate((rank + 10) ** -exponent for rank in range(size)))


def _weighted(random: Random, weights: dict[str, float]) -> str:
    return random.choices(list(weights), weights=list(weights.values()))[0]
