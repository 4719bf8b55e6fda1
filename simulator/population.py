"""Who pays and who is paid: drawn once per simulation."""

import hashlib
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Final

from simulator.geography import COUNTRIES, Country
from simulator.merchant_categories import CATEGORIES, Category
from simulator.parameters import Parameters
from simulator.streams import random_stream
from simulator.wire import Card

# Issuer numbers of the schemes' published test cards.
_CARDS: Final = (("visa", "411111"), ("mastercard", "555555"), ("discover", "601111"))
_FIRST_NAMES: Final = (
    "ada",
    "ben",
    "chloe",
    "dara",
    "emil",
    "farah",
    "gita",
    "hugo",
    "ines",
    "jun",
)
_LAST_NAMES: Final = ("abe", "brown", "costa", "dubois", "evans", "fischer", "gupta", "haas", "ito")
# Reserved for documentation (RFC 2606): nobody's address.
_MAIL_DOMAINS: Final = ("example.com", "example.net", "example.org", "mail.example")
_FIRST_WORDS: Final = ("Amber", "Blue", "Cedar", "Delta", "Eagle", "Forest", "Golden", "Harbour")
_LAST_WORDS: Final = ("Market", "House", "Corner", "Trading", "Point", "Works", "Square")
_ABROAD: Final = 0.1
_TRIES: Final = 40
_HEX_TO_LETTERS: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who pays."""

    id: str
    email: str
    country: Country
    card: Card


@dataclass(frozen=True, slots=True)
class Merchant:
    """Somebody who is paid."""

    id: str
    name: str
    category: Category
    country: Country


@dataclass(frozen=True, slots=True)
class Population:
    """All customers and merchants; the front ones are the busiest, as in Zipf's law."""

    customers: tuple[Customer, ...]
    customer_weights: tuple[float, ...]
    merchants: tuple[Merchant, ...]
    merchant_weights: tuple[float, ...]

    def customer(self, random: Random) -> Customer:
        """Draw a customer by activity."""
        return random.choices(self.customers, cum_weights=self.customer_weights)[0]

    def merchant(self, random: Random) -> Merchant:
        """Draw a merchant by activity."""
        return random.choices(self.merchants, cum_weights=self.merchant_weights)[0]

    def merchant_for(self, customer: Customer, random: Random) -> Merchant:
        """Draw a merchant for a customer, nine times in ten of the home country if one turns up."""
        merchant = self.merchant(random)
        if random.random() < _ABROAD:
            return merchant
        for _ in range(_TRIES):
            if merchant.country is customer.country:
                break
            merchant = self.merchant(random)
        return merchant


def letters_of(text: str, length: int) -> str:
    """Return letters that stand for ``text``, the same in every process.

    Letters only: a row of digits by chance could pass for a card number.
    """
    return hashlib.blake2b(text.encode()).hexdigest()[:length].translate(_HEX_TO_LETTERS)


def build_population(parameters: Parameters) -> Population:
    """Draw the population, its size in proportion to the payments."""
    random = random_stream(parameters.seed, "population")
    customers = tuple(
        _customer(number, random) for number in range(_bounded(parameters.payments // 20, 50, 5000))
    )
    merchants = tuple(
        _merchant(number, random) for number in range(_bounded(parameters.payments // 80, 60, 500))
    )
    return Population(
        customers=customers,
        customer_weights=_zipf_weights(len(customers), 0.7),
        merchants=merchants,
        merchant_weights=_zipf_weights(len(merchants), 0.6),
    )


def _bounded(value: int, least: int, most: int) -> int:
    return max(least, min(value, most))


def _zipf_weights(size: int, exponent: float) -> tuple[float, ...]:
    """Return cumulative weights; the shift keeps the first from outweighing all others."""
    return tuple(accumulate((rank + 10) ** -exponent for rank in range(size)))


def _country(random: Random) -> Country:
    return random.choices(COUNTRIES, weights=[country.weight for country in COUNTRIES])[0]


def _customer(number: int, random: Random) -> Customer:
    first, last = random.choice(_FIRST_NAMES), random.choice(_LAST_NAMES)
    brand, issuer = random.choice(_CARDS)
    customer_id = f"customer_{number:05d}"
    return Customer(
        id=customer_id,
        email=f"{first}.{last}{number}@{random.choice(_MAIL_DOMAINS)}",
        country=_country(random),
        card=Card(
            brand=brand,
            bin=issuer,
            last4=f"{random.randrange(10_000):04d}",
            fingerprint=f"card_{letters_of(customer_id, 20)}",
        ),
    )


def _merchant(number: int, random: Random) -> Merchant:
    category = random.choices(CATEGORIES, weights=[kind.weight for kind in CATEGORIES])[0]
    return Merchant(
        id=f"merchant_{number:04d}",
        name=f"{random.choice(_FIRST_WORDS)} {random.choice(_LAST_WORDS)} {number}",
        category=category,
        country=_country(random),
    )
