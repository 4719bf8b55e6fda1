"""Who pays and who is paid: sizes, segments of customers, countries and merchant categories."""

from typing import Annotated, Final

from msgspec import Meta

from simulator.configuration.amount_settings import Amounts, Bimodal, LogNormal, Pareto
from simulator.configuration.base import Part
from simulator.configuration.types import (
    CountryCode,
    CurrencyCode,
    Exponent,
    Hours,
    MerchantCategoryCode,
    Name,
    Positive,
    Share,
    Weight,
)


class Population(Part, frozen=True):
    """How many customers and merchants there are, and how uneven their activity is."""

    customers: Annotated[int, Meta(ge=10, le=5_000_000, description="How many pay.")] = 1_000
    merchants: Annotated[int, Meta(ge=10, le=500_000, description="How many are paid.")] = 400
    customer_exponent: Annotated[
        Exponent,
        Meta(description="Activity falls with rank to this power, as in Zipf's law; 0: all alike."),
    ] = 0.7
    merchant_exponent: Annotated[Exponent, Meta(description="The same for merchants.")] = 0.6
    abroad_share: Annotated[
        Share, Meta(description="Payments whose merchant may be of any country.")
    ] = 0.1


_DAY: Final = (
    2,
    1,
    1,
    1,
    1,
    3,
    8,
    20,
    35,
    45,
    55,
    65,
    75,
    70,
    62,
    60,
    65,
    78,
    82,
    72,
    50,
    30,
    14,
    6,
)
_EVENING: Final = (
    *(12, 6, 3, 2, 1, 1, 3, 8, 12, 15, 18, 22, 30, 28, 26, 28, 34, 45, 60, 78, 90, 85, 60, 30),
)
_OFFICE: Final = (
    0,
    0,
    0,
    0,
    0,
    1,
    5,
    20,
    60,
    90,
    95,
    90,
    60,
    75,
    90,
    85,
    70,
    40,
    12,
    5,
    3,
    2,
    1,
    0,
)


class Segment(Part, frozen=True):
    """A kind of customers."""

    name: Annotated[Name, Meta(description="What you call it.")]
    weight: Annotated[Weight, Meta(description="How many customers are of this kind.")] = 1.0
    activity: Annotated[
        Positive, Meta(description="How often one pays, relative to other kinds.")
    ] = 1.0
    spending: Annotated[
        Positive, Meta(description="Factor on all amounts: how much one spends at a time.")
    ] = 1.0
    hours: Annotated[
        Hours, Meta(description="24 weights: when one pays, by the clock of one's country.")
    ] = _DAY


DEFAULT_SEGMENTS: Final = (
    Segment(name="household", weight=62),
    Segment(name="young", weight=22, activity=1.4, spending=0.7, hours=_EVENING),
    Segment(name="affluent", weight=10, activity=1.2, spending=1.6),
    Segment(name="business", weight=6, activity=2.0, spending=2.0, hours=_OFFICE),
)


class Country(Part, frozen=True):
    """A country in which customers and merchants live."""

    code: Annotated[CountryCode, Meta(description="ISO 3166-1 alpha-2.")]
    currency: Annotated[CurrencyCode, Meta(description="ISO 4217: what people pay with there.")]
    per_dollar: Annotated[
        Positive, Meta(description="Units of the currency for a US dollar; a round figure will do.")
    ]
    weight: Annotated[Weight, Meta(description="How many live there.")] = 1.0
    time_zone: Annotated[
        str, Meta(description="Name in the IANA database, such as Europe/Berlin.")
    ] = "UTC"


DEFAULT_COUNTRIES: Final = tuple(
    Country(code=code, currency=currency, per_dollar=rate, weight=weight, time_zone=zone)
    for code, currency, rate, weight, zone in (
        ("US", "USD", 1.0, 24.0, "America/New_York"),
        ("GB", "GBP", 0.8, 10.0, "Europe/London"),
        ("DE", "EUR", 0.9, 10.0, "Europe/Berlin"),
        ("FR", "EUR", 0.9, 7.0, "Europe/Paris"),
        ("ES", "EUR", 0.9, 5.0, "Europe/Madrid"),
        ("IT", "EUR", 0.9, 5.0, "Europe/Rome"),
        ("NL", "EUR", 0.9, 4.0, "Europe/Amsterdam"),
        ("JP", "JPY", 150.0, 7.0, "Asia/Tokyo"),
        ("IN", "INR", 85.0, 6.0, "Asia/Kolkata"),
        ("BR", "BRL", 5.5, 4.0, "America/Sao_Paulo"),
        ("CA", "CAD", 1.4, 4.0, "America/Toronto"),
        ("AU", "AUD", 1.5, 3.0, "Australia/Sydney"),
        ("CH", "CHF", 0.9, 2.0, "Europe/Zurich"),
        ("SE", "SEK", 10.0, 2.0, "Europe/Stockholm"),
        ("PL", "PLN", 4.0, 2.0, "Europe/Warsaw"),
        ("AE", "AED", 3.7, 0.75, "Asia/Dubai"),
        ("SG", "SGD", 1.3, 1.5, "Asia/Singapore"),
        ("KW", "KWD", 0.31, 0.5, "Asia/Kuwait"),
        ("KR", "KRW", 1350.0, 1.5, "Asia/Seoul"),
        ("TN", "TND", 3.1, 0.25, "Africa/Tunis"),
    )
)


class Methods(Part, frozen=True):
    """How it is paid, as weights."""

    credit_card: Weight = 0.0
    debit_card: Weight = 0.0
    bank_transfer: Weight = 0.0
    digital_wallet: Weight = 0.0
    cryptocurrency: Weight = 0.0
    cash_equivalent: Weight = 0.0


class Channels(Part, frozen=True):
    """Where payer and merchant meet, as weights. Cash equivalents always meet at a till."""

    web: Weight = 0.0
    mobile_app: Weight = 0.0
    point_of_sale: Weight = 0.0
    phone: Weight = 0.0
    branch: Weight = 0.0
    api: Weight = 0.0


class Category(Part, frozen=True):
    """A kind of merchants."""

    name: Annotated[Name, Meta(description="Stands in merchant.category.")]
    mcc: Annotated[MerchantCategoryCode, Meta(description="ISO 18245.")]
    amounts: Annotated[Amounts, Meta(description="What it costs there, in US dollars.")]
    weight: Annotated[Weight, Meta(description="How many of all payments are made there.")] = 1.0
    methods: Annotated[Methods, Meta(description="How it is paid, as weights.")] = Methods(
        credit_card=45, debit_card=30, digital_wallet=25
    )
    channels: Annotated[Channels, Meta(description="Where one meets, as weights.")] = Channels(
        web=1, mobile_app=1, point_of_sale=1
    )


def _card_methods(credit: float, debit: float, wallet: float, other: float, kind: str) -> Methods:
    at_the_till = kind == "till"
    return Methods(
        credit_card=credit,
        debit_card=debit,
        digital_wallet=wallet,
        cash_equivalent=other if at_the_till else 0.0,
        bank_transfer=0.0 if at_the_till else other,
    )


_TILL: Final = Channels(point_of_sale=1)
_BOTH: Final = Channels(point_of_sale=1, web=1, mobile_app=1)
_REMOTE: Final = Channels(web=1, mobile_app=1)

DEFAULT_CATEGORIES: Final = (
    *(
        Category(
            name=name,
            mcc=mcc,
            amounts=amounts,
            weight=weight,
            methods=_card_methods(*methods),
            channels=channels,
        )
        for name, mcc, amounts, weight, methods, channels in (
            (
                "grocery",
                "5411",
                LogNormal(median=32, sigma=0.7),
                22,
                (25, 45, 22, 8, "till"),
                _TILL,
            ),
            (
                "restaurant",
                "5812",
                LogNormal(median=28, sigma=0.6),
                15,
                (40, 28, 24, 8, "till"),
                _TILL,
            ),
            ("fuel", "5541", LogNormal(median=45, sigma=0.4), 8, (40, 45, 10, 5, "till"), _TILL),
            (
                "pharmacy",
                "5912",
                LogNormal(median=22, sigma=0.7),
                6,
                (30, 45, 20, 5, "till"),
                _BOTH,
            ),
            ("clothing", "5651", LogNormal(median=65, sigma=0.8), 9, (45, 25, 28, 2, "web"), _BOTH),
            (
                "electronics",
                "5732",
                Bimodal(median=35, upper_median=520, sigma=0.5, upper_share=0.4),
                7,
                (50, 22, 22, 6, "web"),
                _BOTH,
            ),
            (
                "digital_goods",
                "5815",
                LogNormal(median=9, sigma=0.7),
                12,
                (38, 20, 40, 2, "web"),
                _REMOTE,
            ),
            (
                "airline",
                "4511",
                LogNormal(median=320, sigma=0.8),
                3,
                (70, 14, 12, 4, "web"),
                _REMOTE,
            ),
            ("hotel", "7011", LogNormal(median=210, sigma=0.7), 4, (68, 18, 10, 4, "web"), _BOTH),
            (
                "utilities",
                "4900",
                LogNormal(median=95, sigma=0.5),
                5,
                (20, 25, 5, 50, "web"),
                Channels(web=1, phone=1),
            ),
            ("jewellery", "5944", Pareto(minimum=90, alpha=1.2), 1, (66, 16, 10, 8, "web"), _BOTH),
            (
                "gambling",
                "7995",
                LogNormal(median=40, sigma=1.0, maximum=1800),
                2,
                (25, 40, 30, 5, "web"),
                _REMOTE,
            ),
        )
    ),
    Category(
        name="money_transfer",
        mcc="4829",
        amounts=LogNormal(median=200, sigma=0.9, maximum=4000),
        weight=4,
        methods=Methods(bank_transfer=75, debit_card=15, digital_wallet=10),
        channels=Channels(web=1, mobile_app=1, branch=1),
    ),
    Category(
        name="crypto_exchange",
        mcc="6051",
        amounts=LogNormal(median=220, sigma=0.9, maximum=3000),
        weight=2,
        methods=Methods(cryptocurrency=60, bank_transfer=25, debit_card=15),
        channels=Channels(web=1, mobile_app=1, api=1),
    ),
)
