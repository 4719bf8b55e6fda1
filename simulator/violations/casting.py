"""Chooses who takes part in an occurrence: payers, accounts and merchants, as ordinary as any."""

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from simulator.configuration.population_settings import Category, Channels, Country, Methods
from simulator.generation.population import Customer, Merchant, account_of
from simulator.generation.scene import Scene
from simulator.wire import Counterparty

REPORTED: Final = frozenset({"AUD", "CAD", "EUR", "USD"})
"""Currencies of authorities that have payments of 10,000 and more reported."""
QUOTED: Final = frozenset(
    {
        *("AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD"),
        *("HUF", "IDR", "ILS", "INR", "ISK", "JPY", "KRW", "MXN", "MYR", "NOK"),
        *("NZD", "PHP", "PLN", "RON", "SEK", "SGD", "THB", "TRY", "USD", "ZAR"),
    }
)
"""Currencies with a reference rate of the European Central Bank.

A rule that compares amounts in euro cannot judge any other: who is to be found by such a rule
pays in one of these. They are those of nearly all customers anyway.
"""

REMOTE_CHANNELS: Final = ("web", "mobile_app")
_TRIES: Final = 40
_CANDIDATES: Final = 6


# --- payers and accounts -----------------------------------------------------------------------


def customer_paying_in(scene: Scene, currencies: Collection[str]) -> Customer:
    """Draw a customer who pays in one of ``currencies``; anybody if there is no such country."""
    countries = scene.configuration.countries
    codes = [country.code for country in countries if country.currency in currencies]
    return scene.customer(countries=codes)


def currency_among(customer: Customer, currencies: Collection[str]) -> str:
    """Return the customer's currency, or US dollars if it is not among ``currencies``."""
    own = customer.country.currency
    return own if own in currencies else "USD"


def cast(scene: Scene, number: int) -> list[Customer]:
    """Draw different customers, the first of them one who pays in a quoted currency."""
    first = customer_paying_in(scene, QUOTED)
    others = [other for other in scene.customers(number) if other is not first]
    return [first, *others[: number - 1]]


def some_account(scene: Scene) -> Counterparty:
    """Return an account: a customer's, or one that nobody in the population has."""
    owner = scene.customer()
    if scene.random.random() < 0.5:
        return account_of(owner)
    return scene.new_account(owner.country)


# --- merchants ---------------------------------------------------------------------------------


def merchant_where(
    scene: Scene,
    customer: Customer,
    *,
    methods: Collection[str] = (),
    channels: Collection[str] = (),
    country: Country | None = None,
) -> Merchant:
    """Draw a merchant by how much is ordinarily paid there by these methods and channels.

    Of the customer's country, or of ``country``; of any if there is none with the methods and
    channels there.
    """
    population = scene.population
    ordinary = [
        float(share) * _part(category.methods, methods) * _part(category.channels, channels)
        for share, category in zip(population.category_share, population.categories, strict=True)
    ]
    if not any(ordinary):
        return scene.merchant(customer)
    at = population.countries.index(country or customer.country)
    cells = range(at, len(population.merchant_ranges.sizes), len(population.countries))
    there = [
        weight if population.merchant_ranges.sizes[cell] else 0.0
        for weight, cell in zip(ordinary, cells, strict=True)
    ]
    if any(there):
        ranges, place = population.merchant_ranges, scene.random.choices(cells, there)[0]
    else:
        ranges = population.category_ranges
        place = scene.random.choices(range(len(ordinary)), ordinary)[0]
    return population.merchant(ranges.draw_one(place, scene.random.random()))


def merchant_elsewhere(
    scene: Scene,
    customer: Customer,
    than: Country,
    *,
    methods: Collection[str] = (),
    channels: Collection[str] = (),
) -> Merchant:
    """Draw such a merchant of another country than one; of any if there is no other."""
    countries = scene.population.countries
    weights = [country.weight for country in countries]
    for _ in range(_TRIES):
        country = scene.random.choices(countries, weights)[0]
        found = merchant_where(scene, customer, methods=methods, channels=channels, country=country)
        if found.country is not than:
            break
    return found


def dear_merchant(
    scene: Scene,
    customer: Customer,
    *,
    methods: Collection[str] = (),
    channels: Collection[str] = (),
    than: Country | None = None,
) -> Merchant:
    """Draw a merchant where large sums are nothing out of the ordinary: no coffee for thousands.

    Of the customer's country, or of another one than ``than``.
    """
    candidates = [
        merchant_where(scene, customer, methods=methods, channels=channels)
        if than is None
        else merchant_elsewhere(scene, customer, than, methods=methods, channels=channels)
        for _ in range(_CANDIDATES)
    ]
    return max(candidates, key=lambda each: scene.ordinary_dollars(each.category, customer))


def method_at(scene: Scene, category: Category, methods: Sequence[str]) -> str:
    """Draw one of ``methods`` as merchants of a category ordinarily take them."""
    return _drawn(scene, category.methods, methods)


def channel_at(scene: Scene, category: Category, channels: Sequence[str]) -> str:
    """Draw one of ``channels`` as merchants of a category ordinarily have them."""
    return _drawn(scene, category.channels, channels)


def _drawn(scene: Scene, weights: Methods | Channels, names: Sequence[str]) -> str:
    chosen = [getattr(weights, name) for name in names]
    return scene.random.choices(names, chosen if any(chosen) else None)[0]


def _part(weights: Methods | Channels, names: Collection[str]) -> float:
    """Return which part of a category's payments has one of these; all if no names are given."""
    if not names:
        return 1.0
    total = sum(msgspec.structs.astuple(weights))
    return sum(getattr(weights, name) for name in names) / total if total else 0.0
