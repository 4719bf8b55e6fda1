"""Amounts of money: exact decimals at the scale of their currency."""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from shared_code.domain.currencies import Currency
from shared_code.domain.refusal import EventRefused
from shared_code.domain.vocabularies import RejectReason

MAX_DIGITS: Final = 15
# What 64-bit columns of minor units hold. Only 15 whole digits of a currency of four decimals
# reach it.
MAX_MINOR_UNITS: Final = 2**63 - 1
_SHOWN_BYTES: Final = 40

_CENT_DECIMALS: Final = 2

# A decimal string, or a JSON number as it stood in the text (RFC 8259 section 6).
_PLAIN: Final = re.compile(rb'"(-?)(\d+)(?:\.(\d+))?"|(-?)(0|[1-9]\d*)(?:\.(\d+))?')
# Nearly all amounts: dollars and cents, nothing to strip or to pad.
_CENTS: Final = re.compile(rb'"(?:0|[1-9]\d{0,11})\.\d\d"')
# Many of them, a comma behind each.
_MANY_CENTS: Final = re.compile(rb'(?:"(?:0|[1-9]\d{0,11})\.\d\d",)*+')
_EXPONENT: Final = re.compile(rb"(-?)(\d{1,30})(?:\.(\d{1,30}))?[eE]([+-]?\d{1,3})")


def parse_amount(json_text: bytes, currency: Currency) -> Decimal:
    """Return the amount that a JSON string or number token names, at its currency's scale.

    The token is read as text, so that ``0.1`` is one tenth. Zeros before and behind the
    significant digits do not count: ``010.500`` in USD is ``10.50``.

    Args:
        json_text: the JSON token as it stood in the message, quotes included.
        currency: gives the number of decimals allowed.

    Raises:
        EventRefused: not a decimal, negative, over 15 digits, or finer than the minor unit.
    """
    if currency.minor_unit == _CENT_DECIMALS and _CENTS.fullmatch(json_text):
        return Decimal(json_text[1:-1].decode())
    match = _PLAIN.fullmatch(json_text)
    if match is None:
        sign, whole, fraction = _expand_exponent(json_text)
    else:
        sign = match[1] or match[4] or b""
        whole, fraction = match[2] or match[5], match[3] or match[6] or b""
    whole, fraction = whole.lstrip(b"0"), fraction.rstrip(b"0")
    if sign and (whole or fraction):
        raise EventRefused(RejectReason.negative_amount, "an amount is zero or more; a refund too")
    if len(fraction) > currency.minor_unit:
        detail = f"{currency.code} has {currency.minor_unit} decimals, found {len(fraction)}"
        raise EventRefused(RejectReason.too_many_decimals, detail)
    digits = len(whole) + len(fraction) if whole else len(fraction.lstrip(b"0"))
    padded = whole + fraction.ljust(currency.minor_unit, b"0")
    if digits > MAX_DIGITS or int(padded or b"0") > MAX_MINOR_UNITS:
        detail = f"an amount has at most {MAX_DIGITS} digits, found {digits}"
        raise EventRefused(RejectReason.too_many_digits, detail)
    return Decimal(int(padded or b"0")).scaleb(-currency.minor_unit)


def parse_cents(
    json_texts: Sequence[bytes], currencies: Iterable[Currency | None]
) -> list[Decimal] | None:
    """Return what ``parse_amount`` does of each token; None if one is not dollars and cents."""
    if any(found is None or found.minor_unit != _CENT_DECIMALS for found in set(currencies)):
        return None
    joined = b",".join(json_texts)
    if _MANY_CENTS.fullmatch(joined + b",") is None:
        return None
    return list(map(Decimal, joined.translate(None, b'"').decode().split(",")))


def _expand_exponent(json_text: bytes) -> tuple[bytes, bytes, bytes]:
    """Return sign, whole and fractional digits of a JSON number in exponent notation."""
    match = _EXPONENT.fullmatch(json_text)
    if match is None:
        # Whole or not at all: half a card number would no longer be recognised and masked.
        whole = json_text.decode("utf-8", "replace") if len(json_text) <= _SHOWN_BYTES else ""
        found = whole or f"{len(json_text)} bytes of text"
        detail = f'expected a decimal such as "10.50", found {found}'
        raise EventRefused(RejectReason.invalid_amount, detail)
    digits = match[2] + (match[3] or b"")
    point = len(match[2]) + int(match[4])
    if point <= 0:
        return match[1], b"", b"0" * -point + digits
    return match[1], digits[:point].ljust(point, b"0"), digits[point:]


def to_minor_units(amount: Decimal, currency: Currency) -> int:
    """Return an amount at its currency's scale as a whole number of minor units."""
    return int(amount.scaleb(currency.minor_unit))
