"""The rows of the ``vocabularies`` table, by which views turn stored numbers into names."""

from collections.abc import Iterator
from enum import IntEnum
from typing import Final, NamedTuple

from shared_code.domain.countries import COUNTRIES
from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.vocabularies import (
    Channel,
    DeviceType,
    PaymentMethod,
    PaymentStatus,
    QualityFlag,
    Severity,
)

_ENUMS: Final[dict[str, type[IntEnum]]] = {
    "payment_method": PaymentMethod,
    "payment_status": PaymentStatus,
    "channel": Channel,
    "device_type": DeviceType,
    "severity": Severity,
}


class VocabularyRow(NamedTuple):
    """One number and its name."""

    vocabulary: str
    number: int
    name: str


def vocabulary_rows() -> Iterator[VocabularyRow]:
    """Yield every stored number with its name."""
    for vocabulary, members in _ENUMS.items():
        for member in members:
            yield VocabularyRow(vocabulary, int(member), member.name)
    for flag in QualityFlag:
        yield VocabularyRow("quality_flag", int(flag), str(flag.name))
    for currency in CURRENCIES.values():
        yield VocabularyRow("currency", currency.number, currency.code)
    for code, number in COUNTRIES.items():
        yield VocabularyRow("country", number, code)
