"""The fields of a payment that rules may name, and how each one is stored."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from shared_code.domain.countries import COUNTRIES
from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.vocabularies import (
    Channel,
    DeviceType,
    PaymentMethod,
    PaymentStatus,
    QualityFlag,
)


class Kind(StrEnum):
    """What a field's values are, and so which operators fit."""

    money = "money"
    code = "code"
    text = "text"
    time = "time"
    flags = "flags"
    number = "number"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name in rules, the column that holds it, and its values.

    ``numbers`` gives the stored number of each value of a code or flags field, ``names`` the
    value of each stored number. ``domain`` names what the values are, so that only fields of one
    domain are compared with each other. Amounts are in the currency of ``currency_column``.
    """

    name: str
    column: str
    kind: Kind
    domain: str
    numbers: Mapping[str, int] = MappingProxyType({})
    names: Mapping[int, str] = MappingProxyType({})
    currency_column: str = "currency"


def _code(name: str, column: str, domain: str, numbers: Mapping[str, int]) -> Field:
    names = {number: value for value, number in numbers.items()}
    return Field(
        name, column, Kind.code, domain, MappingProxyType(dict(numbers)), MappingProxyType(names)
    )


def _text(name: str, column: str, domain: str) -> Field:
    return Field(name, column, Kind.text, domain)


_MCC: Final = {f"{number:04}": number for number in range(1, 10_000)}

FIELDS: Final[Mapping[str, Field]] = MappingProxyType(
    {
        field.name: field
        for field in (
            Field("amount", "amount", Kind.money, "amount"),
            Field("event_time", "event_time", Kind.time, "time"),
            _code(
                "payment_method",
                "payment_method",
                "payment_method",
                {member.name: int(member) for member in PaymentMethod},
            ),
            _code(
                "payment_status",
                "payment_status",
                "payment_status",
                {member.name: int(member) for member in PaymentStatus},
            ),
            _code(
                "currency",
                "currency",
                "currency",
                {code: currency.number for code, currency in CURRENCIES.items()},
            ),
            _code("channel", "channel", "channel", {item.name: int(item) for item in Channel}),
            _code(
                "device_type",
                "device_type",
                "device_type",
                {member.name: int(member) for member in DeviceType},
            ),
            _code("customer.country", "customer_country", "country", COUNTRIES),
            _code("merchant.country", "merchant_country", "country", COUNTRIES),
            _code("counterparty.country", "counterparty_country", "country", COUNTRIES),
            _code("merchant.mcc", "merchant_mcc", "mcc", _MCC),
            _text("transaction_id", "transaction_id", "transaction"),
            _text("original_transaction_id", "original_transaction_id", "transaction"),
            _text("customer.id", "customer_id", "account"),
            _text("customer.email_domain", "customer_email_domain", "domain"),
            _text("merchant.id", "merchant_id", "merchant"),
            _text("merchant.name", "merchant_name", "name"),
            _text("merchant.category", "merchant_category", "category"),
            _text("card.brand", "card_brand", "brand"),
            _text("card.bin", "card_bin", "bin"),
            _text("card.last4", "card_last4", "last4"),
            _text("card.fingerprint", "card_fingerprint", "fingerprint"),
            _text("counterparty.id", "counterparty_id", "account"),
            Field(
                "quality_flags",
                "quality_flags",
                Kind.flags,
                "quality_flag",
                MappingProxyType({str(flag.name): int(flag) for flag in QualityFlag}),
            ),
        )
    }
)

# What payments may be grouped by: few values, or an id that names who is measured.
GROUPABLE: Final = frozenset(
    name for name, field in FIELDS.items() if field.kind in {Kind.code, Kind.text}
) - {"transaction_id", "original_transaction_id"}

# Whom velocity and sequence rules may follow.
SUBJECTS: Final = (
    "customer.id",
    "card.fingerprint",
    "merchant.id",
    "counterparty.id",
    "customer.country",
    "merchant.country",
    "counterparty.country",
    "customer.email_domain",
    "card.bin",
)

GAP_COLUMN: Final = "gap_minutes"
RATIO_COLUMN: Final = "amount_ratio"


def _partners(prefix: str) -> Iterator[Field]:
    """Yield the fields of the payment that a sequence rule compares with, and of the pair."""
    for field in FIELDS.values():
        yield replace(
            field,
            name=f"{prefix}.{field.name}",
            column=f"{prefix}.{field.column}",
            currency_column=f"{prefix}.currency",
        )
    yield Field(GAP_COLUMN, GAP_COLUMN, Kind.number, "minutes")
    yield Field(RATIO_COLUMN, RATIO_COLUMN, Kind.number, "ratio")


# Where a sequence rule looks from a payment to another one, it knows the fields of both.
FIELDS_WITH_PREVIOUS: Final[Mapping[str, Field]] = MappingProxyType(
    {**FIELDS, **{field.name: field for field in _partners("previous")}}
)
FIELDS_WITH_ORIGINAL: Final[Mapping[str, Field]] = MappingProxyType(
    {**FIELDS, **{field.name: field for field in _partners("original")}}
)
ALL_FIELDS: Final[Mapping[str, Field]] = MappingProxyType(
    {**FIELDS_WITH_PREVIOUS, **FIELDS_WITH_ORIGINAL}
)
