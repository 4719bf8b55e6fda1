"""Adds up what a block of payments must amount to."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from shared_code.domain.windows import WINDOW_LENGTH
from simulator.generation.ordinary import METHODS, STATUSES, PaymentEvents, Payments
from simulator.generation.population import Integers, Population
from simulator.generation.span import MICROSECONDS, microseconds
from simulator.generation.wording import CARD_METHODS
from simulator.wire import Card, Customer, Event, Merchant, Payment

_WINDOW: Final = round(WINDOW_LENGTH.total_seconds() * MICROSECONDS)
_BAD_MAIL: Final = "invalid_email"
_BAD_COUNTRY: Final = "invalid_country"
_BAD_CARD: Final = "invalid_card_data"
_CLEAR_NUMBER: Final = "card_number_in_clear"
_LAST4: Final = 4

type Key = tuple[int, str, str, str]
"""Start of the window in microseconds, payment method, currency, status."""


@dataclass(slots=True)
class Account:
    """Counts and sums of distinct valid payment events; amounts in minor units."""

    payments: int = 0
    late: int = 0
    counts: Counter[Key] = field(default_factory=Counter)
    sums: Counter[Key] = field(default_factory=Counter)
    qualities: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Account") -> None:
        """Take in another account."""
        self.payments += other.payments
        self.late += other.late
        self.counts.update(other.counts)
        self.sums.update(other.sums)
        self.qualities.update(other.qualities)
        self.violations.update(other.violations)

    def take_back(self, other: "Account") -> None:
        """Let what another account holds not have been entered."""
        self.payments -= other.payments
        self.late -= other.late
        # Counters forget what falls to zero; sums of zero amounts hang on their counts.
        self.counts -= other.counts
        self.sums.subtract(other.sums)
        self.qualities -= other.qualities
        self.violations -= other.violations

    def enter_columns(
        self, population: Population, payments: Payments, events: PaymentEvents, times: Integers
    ) -> None:
        """Enter ordinary payment events; ``times`` are those that their texts name."""
        country = payments.country[events.payment]
        method = payments.method[events.payment]
        codes = (country * len(METHODS) + method) * len(STATUSES) + events.status
        combinations = len(population.countries) * len(METHODS) * len(STATUSES)
        keys, place = np.unique(times // _WINDOW * combinations + codes, return_inverse=True)
        counts = np.bincount(place)
        sums = np.zeros(len(keys), dtype=np.int64)
        np.add.at(sums, place, events.minor)
        for key, count, total in zip(keys.tolist(), counts.tolist(), sums.tolist(), strict=True):
            window, code = divmod(key, combinations)
            rest, status = divmod(code, len(STATUSES))
            at, method_number = divmod(rest, len(METHODS))
            named = (
                window * _WINDOW,
                METHODS[method_number],
                population.countries[at].currency,
                STATUSES[status],
            )
            self.counts[named] += count
            self.sums[named] += total
        self.payments += len(times)
        merchant_country = population.cell_of_merchant[payments.merchant] % len(
            population.countries
        )
        abroad = (merchant_country != payments.country)[events.payment]
        if mismatches := int(abroad.sum()):
            self.qualities["country_mismatch"] += mismatches

    def enter(self, payments: Iterable[Payment], known_countries: frozenset[str]) -> None:
        """Enter payment events one by one."""
        for payment in payments:
            event = payment.event
            window = microseconds(payment.event_time) // _WINDOW * _WINDOW
            key = (window, event.payment_method, event.currency, event.payment_status)
            self.payments += 1
            self.counts[key] += 1
            self.sums[key] += minor_units(payment)
            self.qualities.update(_qualities(payment, known_countries))
            if event.violation:
                self.violations[event.violation] += 1


def minor_units(payment: Payment) -> int:
    """Return the amount in units of its last decimal."""
    exponent = int(payment.amount.as_tuple().exponent)
    return int(payment.amount.scaleb(-exponent))


def _qualities(payment: Payment, known_countries: frozenset[str]) -> list[str]:
    """Return the quality flags that a payment must get, but for those that need the clock."""
    event = payment.event
    customer, merchant = event.customer or Customer(), event.merchant or Merchant()
    card = event.card or Card()
    numbered = bool(card.bin or card.last4 or card.fingerprint)
    by_card = event.payment_method in CARD_METHODS
    found = {
        "zero_amount": not payment.amount,
        "customer_id_missing": not customer.id,
        "customer_email_missing": not customer.email,
        "customer_email_invalid": event.violation == _BAD_MAIL,
        "customer_country_missing": not customer.country,
        "customer_country_invalid": event.violation == _BAD_COUNTRY,
        "country_mismatch": _differ(customer.country, merchant.country, known_countries),
        "card_data_missing": by_card and not (card.last4 or card.fingerprint),
        "card_data_forbidden": numbered and not by_card,
        # A full number that stands for the last four is no last four.
        "card_data_invalid": event.violation == _BAD_CARD or len(card.last4 or "") > _LAST4,
        "card_number_present": event.violation == _CLEAR_NUMBER,
        "original_transaction_missing": _is_unlinked(event),
    }
    return [name for name, holds in found.items() if holds]


def _is_unlinked(event: Event) -> bool:
    return event.payment_status == "refunded" and not event.original_transaction_id


def _differ(one: str | None, other: str | None, known_countries: frozenset[str]) -> bool:
    return one in known_countries and other in known_countries and one != other
