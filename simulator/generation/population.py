"""Who pays and who is paid: drawn once per simulation, kept as columns.

Customers stand in groups of one segment and one country, merchants in cells of one category and
one country, so that a draw within a group or a cell is one search in the cumulative weights.
"""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.configuration.population_settings import Category, Country, Segment
from simulator.configuration.structure import Configuration
from simulator.generation.partition_keys import key_bucket
from simulator.generation.streams import column_stream, letters_of
from simulator.wire import Card, Counterparty, to_json
from simulator.wire import Customer as WireCustomer
from simulator.wire import Merchant as WireMerchant

type Floats = NDArray[np.float64]
type Integers = NDArray[np.int64]
type Keys = NDArray[np.uint8]
type Objects = NDArray[np.object_]

# Issuer numbers of the schemes' published test cards.
_CARDS: Final = (("visa", "411111"), ("mastercard", "555555"), ("discover", "601111"))
_FIRST_NAMES: Final = (
    *("ada", "ben", "chloe", "dara", "emil", "farah", "gita", "hugo", "ines", "jun", "kofi", "lea"),
)
_LAST_NAMES: Final = (
    *("abe", "brown", "costa", "dubois", "evans", "fischer", "gupta", "haas", "ito", "jones"),
)
# Reserved for documentation (RFC 2606): nobody's address.
_MAIL_DOMAINS: Final = ("example.com", "example.net", "example.org", "mail.example")
_FIRST_WORDS: Final = ("Amber", "Blue", "Cedar", "Delta", "Eagle", "Forest", "Golden", "Harbour")
_LAST_WORDS: Final = ("Market", "House", "Corner", "Trading", "Point", "Works", "Square")
# Keeps the first in rank from outweighing all others.
_RANK_SHIFT: Final = 10


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who pays."""

    number: int
    id: str
    email: str
    segment: Segment
    country: Country
    card: Card

    @property
    def account(self) -> str:
        """The id under which the customer receives transfers, as a counterparty."""
        return f"account_{letters_of(self.id, 12)}"


@dataclass(frozen=True, slots=True)
class Merchant:
    """Somebody who is paid."""

    number: int
    id: str
    name: str
    category: Category
    country: Country


class Ranges(NamedTuple):
    """Stretches of a sequence and their cumulative weights, one per group or cell."""

    cumulative: Floats
    first: Integers
    sizes: Integers

    def draw(self, groups: Integers, uniform: Floats) -> Integers:
        """Return a position within each of ``groups`` (none of them empty), by weight."""
        low = np.where(self.first[groups] > 0, self.cumulative[self.first[groups] - 1], 0.0)
        last = self.first[groups] + self.sizes[groups] - 1
        found = np.searchsorted(
            self.cumulative, low + uniform * (self.cumulative[last] - low), side="right"
        )
        # Rounding may point just beyond the stretch.
        positions: Integers = np.clip(found, self.first[groups], last)
        return positions

    def draw_one(self, group: int, uniform: float) -> int:
        """Return a position within one group, as ``draw`` does, without a column's expense."""
        first, size = int(self.first[group]), int(self.sizes[group])
        low = float(self.cumulative[first - 1]) if first else 0.0
        wanted = low + uniform * (float(self.cumulative[first + size - 1]) - low)
        return min(bisect_right(self.cumulative, wanted, first, first + size), first + size - 1)


class Population:
    """All customers and merchants of a configuration."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.segments = configuration.segments
        self.countries = configuration.countries
        self.categories = configuration.categories
        columns = column_stream(configuration.seed, "population")
        self._build_customers(columns)
        self._build_merchants(columns)

    def _build_customers(self, columns: np.random.Generator) -> None:
        sizes = self.configuration.population
        segments = np.array([segment.weight for segment in self.segments])
        countries = np.array([country.weight for country in self.countries])
        counts = apportion(np.outer(segments, countries).ravel(), sizes.customers)
        weights = _zipf(counts, sizes.customer_exponent)
        self.group_of_customer = np.repeat(np.arange(len(counts)), counts)
        self.customer_ranges = _ranges(counts, weights)
        activity = np.array([segment.activity for segment in self.segments])
        shares = np.outer(segments * activity, countries).ravel() * (counts > 0)
        # Share of all payments that each group makes, whatever the hour.
        self.group_share: Floats = shares / shares.sum()
        self.group_cumulative: list[float] = np.cumsum(self.group_share).tolist()
        number = sizes.customers
        self._customer_numbers = columns.permutation(number)
        self._first_names = columns.integers(len(_FIRST_NAMES), size=number, dtype=np.int8)
        self._last_names = columns.integers(len(_LAST_NAMES), size=number, dtype=np.int8)
        self._domains = columns.integers(len(_MAIL_DOMAINS), size=number, dtype=np.int8)
        self._schemes = columns.integers(len(_CARDS), size=number, dtype=np.int8)
        self._last4 = columns.integers(10_000, size=number, dtype=np.int16)
        self._keys: Keys = np.zeros(number, dtype=np.uint8)
        self._keys_known = np.zeros(number, dtype=bool)
        self._customers: dict[int, Customer] = {}
        self._customer_texts = Texts("customer", number, lambda at: as_wire(self.customer(at)))
        self._card_texts = Texts("card", number, lambda at: self.customer(at).card)
        self._account_texts = Texts(
            "counterparty", number, lambda at: account_of(self.customer(at))
        )

    def _build_merchants(self, columns: np.random.Generator) -> None:
        sizes = self.configuration.population
        categories = np.array([category.weight for category in self.categories])
        countries = np.array([country.weight for country in self.countries])
        counts = apportion(np.outer(categories, countries).ravel(), sizes.merchants)
        weights = _zipf(counts, sizes.merchant_exponent)
        cell_of_merchant = np.repeat(np.arange(len(counts)), counts)
        # A cell weighs what its country weighs, however many merchants it has.
        weights /= np.bincount(cell_of_merchant, weights)[cell_of_merchant]
        weights *= np.tile(countries, len(categories))[cell_of_merchant]
        self.cell_of_merchant = cell_of_merchant
        self.merchant_ranges = _ranges(counts, weights)
        by_category = counts.reshape(len(categories), len(countries)).sum(axis=1)
        self.category_ranges = _ranges(by_category, weights)
        offered = categories * (by_category > 0)
        self.category_share: Floats = offered / offered.sum()
        self.category_cumulative: list[float] = np.cumsum(self.category_share).tolist()
        number = sizes.merchants
        self._merchant_numbers = columns.permutation(number)
        self._first_words = columns.integers(len(_FIRST_WORDS), size=number, dtype=np.int8)
        self._last_words = columns.integers(len(_LAST_WORDS), size=number, dtype=np.int8)
        self._merchants: dict[int, Merchant] = {}
        self._merchant_texts = Texts(
            "merchant", number, lambda at: merchant_as_wire(self.merchant(at))
        )

    def customer(self, position: int) -> Customer:
        """Return the customer who stands at ``position``."""
        known = self._customers.get(position)
        if known is None:
            known = self._customers[position] = self._make_customer(position)
        return known

    def merchant(self, position: int) -> Merchant:
        """Return the merchant who stands at ``position``."""
        known = self._merchants.get(position)
        if known is None:
            known = self._merchants[position] = self._make_merchant(position)
        return known

    def _make_customer(self, position: int) -> Customer:
        segment, country = divmod(int(self.group_of_customer[position]), len(self.countries))
        number = int(self._customer_numbers[position])
        first = _FIRST_NAMES[self._first_names[position]]
        last = _LAST_NAMES[self._last_names[position]]
        brand, issuer = _CARDS[self._schemes[position]]
        customer_id = f"customer_{number:05d}"
        return Customer(
            number=position,
            id=customer_id,
            email=f"{first}.{last}{number}@{_MAIL_DOMAINS[self._domains[position]]}",
            segment=self.segments[segment],
            country=self.countries[country],
            card=Card(
                brand=brand,
                bin=issuer,
                last4=f"{self._last4[position]:04d}",
                fingerprint=f"card_{letters_of(customer_id, 20)}",
            ),
        )

    def _make_merchant(self, position: int) -> Merchant:
        category, country = divmod(int(self.cell_of_merchant[position]), len(self.countries))
        number = int(self._merchant_numbers[position])
        first = _FIRST_WORDS[self._first_words[position]]
        last = _LAST_WORDS[self._last_words[position]]
        return Merchant(
            number=position,
            id=f"merchant_{number:04d}",
            name=f"{first} {last} {number}",
            category=self.categories[category],
            country=self.countries[country],
        )

    def keys_of(self, positions: Integers) -> Keys:
        """Return the key bucket of each customer."""
        for position in np.unique(positions[~self._keys_known[positions]]).tolist():
            self._keys[position] = key_bucket(self.customer(position).id)
            self._keys_known[position] = True
        keys: Keys = self._keys[positions]
        return keys

    def customer_texts(self, positions: Integers) -> Objects:
        """Return the JSON text of each customer as a ``customer`` member."""
        return self._customer_texts.at(positions)

    def card_texts(self, positions: Integers) -> Objects:
        """Return the JSON text of each customer's ``card`` member."""
        return self._card_texts.at(positions)

    def account_texts(self, positions: Integers) -> Objects:
        """Return the JSON text of each customer as the ``counterparty`` of another one."""
        return self._account_texts.at(positions)

    def merchant_texts(self, positions: Integers) -> Objects:
        """Return the JSON text of each merchant as a ``merchant`` member."""
        return self._merchant_texts.at(positions)


class Texts:
    """JSON texts of numbered things, each written when it is first asked for.

    A text is a member of an object: comma, name and value.
    """

    def __init__(self, name: str, size: int, thing: Callable[[int], object]) -> None:
        self._name = name
        self._texts: Objects = np.full(size, None, dtype=object)
        self._written = np.zeros(size, dtype=bool)
        self._thing = thing

    def at(self, positions: Integers) -> Objects:
        """Return the text of each position."""
        for position in np.unique(positions[~self._written[positions]]).tolist():
            value = to_json(self._thing(position)).decode()
            self._texts[position] = f',"{self._name}":{value}'
            self._written[position] = True
        texts: Objects = self._texts[positions]
        return texts


def account_of(customer: Customer) -> Counterparty:
    """Return a customer as the other account of somebody's transfer."""
    return Counterparty(id=customer.account, country=customer.country.code)


def as_wire(customer: Customer) -> WireCustomer:
    """Return the ``customer`` object of a payment event."""
    return WireCustomer(id=customer.id, email=customer.email, country=customer.country.code)


def merchant_as_wire(merchant: Merchant) -> WireMerchant:
    """Return the ``merchant`` object of a payment event."""
    return WireMerchant(
        id=merchant.id,
        name=merchant.name,
        category=merchant.category.name,
        mcc=merchant.category.mcc,
        country=merchant.country.code,
    )


def apportion(weights: Floats, total: int) -> Integers:
    """Return whole numbers in proportion to ``weights`` that add up to ``total``.

    Largest remainders; where ``total`` suffices, everything that weighs anything gets at least one.
    """
    weighing = weights > 0
    quotas = weights / weights.sum() * total
    if total >= weighing.sum():
        # Whoever would get less than one gets one, and the others share what is left.
        lifted = np.zeros(len(weights), dtype=bool)
        while (below := weighing & ~lifted & (quotas < 1)).any():
            lifted |= below
            others = np.where(lifted, 0.0, weights)
            left = total - int(lifted.sum())
            quotas = others * (left / others.sum()) if others.any() else others
            quotas[lifted] = 1.0
    counts: Integers = np.floor(quotas).astype(np.int64)
    missing = total - int(counts.sum())
    counts[np.argsort(counts - quotas, kind="stable")[:missing]] += 1
    return counts


def _zipf(counts: Integers, exponent: float) -> Floats:
    """Return the weight of each member by its rank in its group."""
    ranks: Floats = np.concatenate([np.arange(count, dtype=np.float64) for count in counts])
    weights: Floats = (ranks + _RANK_SHIFT) ** -exponent
    return weights


def _ranges(counts: Integers, weights: Floats) -> Ranges:
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return Ranges(np.cumsum(weights), first, counts)
