"""The countries in which the simulated customers and merchants live.

Weights and exchange rates are round figures: plausible in size, not a source for anything.
"""

from typing import Final, NamedTuple


class Country(NamedTuple):
    """ISO 3166-1 alpha-2 code, ISO 4217 currency, its units per US dollar, share of customers."""

    code: str
    currency: str
    per_dollar: float
    weight: float


COUNTRIES: Final = (
    Country("US", "USD", 1.0, 24),
    Country("GB", "GBP", 0.8, 10),
    Country("DE", "EUR", 0.9, 10),
    Country("FR", "EUR", 0.9, 7),
    Country("ES", "EUR", 0.9, 5),
    Country("IT", "EUR", 0.9, 5),
    Country("NL", "EUR", 0.9, 4),
    Country("JP", "JPY", 150.0, 7),
    Country("IN", "INR", 85.0, 6),
    Country("BR", "BRL", 5.5, 4),
    Country("CA", "CAD", 1.4, 4),
    Country("AU", "AUD", 1.5, 3),
    Country("CH", "CHF", 0.9, 2),
    Country("SE", "SEK", 10.0, 2),
    Country("PL", "PLN", 4.0, 2),
    Country("AE", "AED", 3.7, 1.5),
    Country("SG", "SGD", 1.3, 1.5),
    Country("KW", "KWD", 0.31, 1.5),
    Country("KR", "KRW", 1350.0, 1.5),
    Country("TN", "TND", 3.1, 0.5),
)

# On the Financial Action Task Force's list of jurisdictions that call for countermeasures.
HIGH_RISK_COUNTRIES: Final = ("IR", "KP", "MM")
