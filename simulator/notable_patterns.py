"""Payments that are valid, but that rules ought to notice; each carries the name of its pattern.

Amounts are drawn over a range and people by their activity, so that no constant gives a pattern
away. How often each occurs grows with the number of payments.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from shared_code.domain.windows import WINDOW_LENGTH
from simulator.composing import Composer
from simulator.geography import HIGH_RISK_COUNTRIES
from simulator.wire import Payment

_CARDS: Final = ("credit_card", "debit_card")
_DOLLARS: Final = "USD"


def notable_payments(composer: Composer) -> Iterator[Payment]:
    """Yield the payments of every pattern in turn."""
    payments = composer.parameters.payments
    for _ in range(1 + payments // 10_000):
        yield from _rapid_fire(composer)
        yield from _failure_burst(composer)
    for _ in range(1 + payments // 4_000):
        yield from _structuring(composer)
    for _ in range(1 + payments // 500):
        yield _high_value(composer)
    for _ in range(1 + payments // 200):
        yield _round_amount(composer)
    for _ in range(1 + payments // 400):
        yield _cross_border(composer)
        yield _high_risk_country(composer)


def _any_time(composer: Composer) -> datetime:
    return composer.instant(composer.parameters.start, composer.parameters.span)


def _early_in_a_window(composer: Composer) -> datetime:
    """Return a time that leaves at least three minutes of its window."""
    window = composer.random.randrange(composer.parameters.windows)
    start = composer.parameters.start + window * WINDOW_LENGTH
    return start + timedelta(seconds=composer.random.randrange(120))


def _rapid_fire(composer: Composer) -> Iterator[Payment]:
    """One customer pays over and over within two minutes."""
    customer = composer.population.customer(composer.random)
    instant = _early_in_a_window(composer)
    for _ in range(composer.random.randint(20, 30)):
        yield composer.compose(instant, customer=customer, label="rapid_fire")
        instant += timedelta(seconds=composer.random.uniform(0.5, 4))


def _failure_burst(composer: Composer) -> Iterator[Payment]:
    """One merchant cannot get its cards through for some minutes."""
    merchant = composer.population.merchant(composer.random)
    instant = _early_in_a_window(composer)
    for _ in range(composer.random.randint(30, 45)):
        yield composer.compose(
            instant, merchant=merchant, methods=_CARDS, status="failed", label="failure_burst"
        )
        instant += timedelta(seconds=composer.random.uniform(0.5, 3.5))


def _structuring(composer: Composer) -> Iterator[Payment]:
    """One customer stays just under 10,000 US dollars, several times."""
    customer = composer.population.customer(composer.random)
    for _ in range(composer.random.randint(4, 6)):
        yield composer.compose(
            _any_time(composer),
            customer=customer,
            methods=("bank_transfer",),
            currency=_DOLLARS,
            amount=Decimal(composer.random.randrange(900_000, 999_999)).scaleb(-2),
            label="structuring",
        )


def _high_value(composer: Composer) -> Payment:
    dollars = composer.random.lognormvariate(0, 0.6) * 40_000 + 12_000
    return composer.compose(_any_time(composer), dollars=dollars, label="high_value")


def _round_amount(composer: Composer) -> Payment:
    amount = Decimal(composer.random.choice((500, 1_000, 2_000, 2_500, 5_000))).quantize(
        Decimal("0.01")
    )
    return composer.compose(
        _any_time(composer), currency=_DOLLARS, amount=amount, label="round_amount"
    )


def _cross_border(composer: Composer) -> Payment:
    """A large payment to a merchant of another country."""
    customer = composer.population.customer(composer.random)
    merchant = composer.population.merchant(composer.random)
    while merchant.country is customer.country:
        merchant = composer.population.merchant(composer.random)
    return composer.compose(
        _any_time(composer),
        customer=customer,
        merchant=merchant,
        dollars=composer.random.uniform(1_500, 9_000),
        label="cross_border",
    )


def _high_risk_country(composer: Composer) -> Payment:
    merchant = composer.population.merchant(composer.random)
    country = merchant.country._replace(code=composer.random.choice(HIGH_RISK_COUNTRIES))
    return composer.compose(
        _any_time(composer),
        merchant=replace(merchant, country=country),
        dollars=composer.random.uniform(50, 4_000),
        label="high_risk_country",
    )
