"""Kinds of merchants: what is bought there, how it is paid, and what it costs."""

from typing import Final, NamedTuple


class Category(NamedTuple):
    """A merchant category.

    Amounts are log-normal: ``median`` in US dollars, ``sigma`` of their natural logarithm. The
    code is four digits (ISO 18245); weights are relative.
    """

    name: str
    mcc: str
    median: float
    sigma: float
    weight: float
    methods: tuple[str, ...]
    method_weights: tuple[float, ...]
    channels: tuple[str, ...]


_SHOP: Final = ("credit_card", "debit_card", "digital_wallet", "cash_equivalent")
_ONLINE: Final = ("credit_card", "debit_card", "digital_wallet", "bank_transfer")
_AT_THE_TILL: Final = ("point_of_sale",)
_BOTH: Final = ("point_of_sale", "web", "mobile_app")
_REMOTE: Final = ("web", "mobile_app")

CATEGORIES: Final = (
    Category("grocery", "5411", 32, 0.7, 22, _SHOP, (25, 45, 22, 8), _AT_THE_TILL),
    Category("restaurant", "5812", 28, 0.6, 15, _SHOP, (40, 28, 24, 8), _AT_THE_TILL),
    Category("fuel", "5541", 45, 0.4, 8, _SHOP, (40, 45, 10, 5), _AT_THE_TILL),
    Category("pharmacy", "5912", 22, 0.7, 6, _SHOP, (30, 45, 20, 5), _BOTH),
    Category("clothing", "5651", 65, 0.8, 9, _ONLINE, (45, 25, 28, 2), _BOTH),
    Category("electronics", "5732", 180, 1.0, 7, _ONLINE, (50, 22, 22, 6), _BOTH),
    Category("digital_goods", "5815", 9, 0.7, 12, _ONLINE, (38, 20, 40, 2), _REMOTE),
    Category("airline", "4511", 320, 0.8, 3, _ONLINE, (70, 14, 12, 4), _REMOTE),
    Category("hotel", "7011", 210, 0.7, 4, _ONLINE, (68, 18, 10, 4), _BOTH),
    Category("utilities", "4900", 95, 0.5, 5, _ONLINE, (20, 25, 5, 50), ("web", "phone")),
    Category("jewellery", "5944", 420, 1.0, 1, _ONLINE, (66, 16, 10, 8), _BOTH),
    Category("gambling", "7995", 40, 1.1, 2, _ONLINE, (25, 40, 30, 5), _REMOTE),
    Category(
        "money_transfer",
        "4829",
        250,
        1.1,
        4,
        ("bank_transfer", "debit_card", "digital_wallet"),
        (75, 15, 10),
        ("web", "mobile_app", "branch"),
    ),
    Category(
        "crypto_exchange",
        "6051",
        300,
        1.3,
        2,
        ("cryptocurrency", "bank_transfer", "debit_card"),
        (60, 25, 15),
        ("web", "mobile_app", "api"),
    ),
)
