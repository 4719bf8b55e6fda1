"""Amounts out of rows: exact decimals, never rounded."""

import re
from collections.abc import Callable
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Final, NamedTuple

from shared_code.domain.currencies import Currency
from shared_code.domain.money import parse_amount
from shared_code.domain.refusal import EventRefused
from shared_code.domain.vocabularies import RejectReason
from simulator.replay.mapping import Amount, FileFormat
from simulator.replay.rows import Cells, RowRefused
from simulator.replay.values import Nulls

# Wide enough for everything that is let in, and loud should that ever be untrue.
_EXACT: Final = Context(prec=120, traps=[Inexact, InvalidOperation])
_MOST_DIGITS: Final = 50
_BLANKS: Final = str.maketrans("\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}", "   ")
_MINUS: Final = str.maketrans("\N{MINUS SIGN}", "-")


class SignedAmount(NamedTuple):
    """An amount without its sign, and whether the sign makes a refund of the payment."""

    amount: Decimal
    refund: bool


type AmountOf = Callable[[Cells, Currency], SignedAmount]


def amount_reader(spec: Amount, file_format: FileFormat, nulls: Nulls) -> AmountOf:
    """Return what reads the amount of a row, at the scale of its currency.

    It raises ``RowRefused`` for what is no amount, or none that the currency has.
    """
    decimal = spec.decimal or file_format.decimal or "."
    notation = _notation(decimal, spec.thousands or file_format.thousands)
    text_of_row = nulls.reader(spec.column or "", spec.null_values)
    fixed = spec.constant
    default = spec.default

    def amount(cells: Cells, currency: Currency) -> SignedAmount:
        found = _number(cells, spec.column)
        if found is None:
            text = "" if fixed is not None else text_of_row(cells)
            given = fixed if fixed is not None else default
            found = notation(text) if text else _decimal(given or "")
        if spec.unit == "minor":
            found = found.scaleb(-currency.minor_unit, _EXACT)
        return _signed(_fitted(found.copy_abs(), currency), found.is_signed(), spec.sign)

    return amount


def _number(cells: Cells, column: str | None) -> Decimal | None:
    """Return a cell that is a number already, whatever marks text has."""
    cell = cells.get(column or "")
    if isinstance(cell, Decimal):
        return _bounded(cell)
    return Decimal(cell) if isinstance(cell, int) and not isinstance(cell, bool) else None


def _notation(decimal: str, thousands: str | None) -> Callable[[str], Decimal]:
    """Return what reads numbers of one notation.

    The sign stands before or behind, or brackets stand around, as in accounting; groups are of
    three digits, or of two before the last three, as in India.
    """
    group = re.escape(thousands) if thousands else None
    grouped = rf"[0-9]{{1,3}}(?:{group}[0-9]{{2,3}})*{group}[0-9]{{3}}|" if group else ""
    number = re.compile(
        rf"(?P<sign>[-+(]?)[ ]?(?P<whole>{grouped}[0-9]*)"
        rf"(?:{re.escape(decimal)}(?P<fraction>[0-9]*))?"
        r"(?P<exponent>[eE][-+]?[0-9]{1,2})?[ ]?(?P<behind>[-+)]?)"
    )

    def read(text: str) -> Decimal:
        plain = text.translate(_BLANKS).translate(_MINUS)
        match = number.fullmatch(plain)
        if match is None or not _signs_agree(match["sign"], match["behind"]):
            raise _no_amount(text)
        whole = match["whole"].replace(thousands, "") if thousands else match["whole"]
        minus = "-" if {"-", "("} & {match["sign"], match["behind"]} else ""
        fraction = match["fraction"] or ""
        return _decimal(f"{minus}{whole}.{fraction}{match['exponent'] or ''}", text)

    return read


def _signs_agree(before: str, behind: str) -> bool:
    return (before, behind) == ("(", ")") or (
        not (before and behind) and "(" not in before and ")" not in behind
    )


def _decimal(text: str, shown: str | None = None) -> Decimal:
    if not text:
        raise RowRefused(RejectReason.missing_field, "amount: the cell is empty")
    try:
        return _bounded(Decimal(text))
    except InvalidOperation as error:
        raise _no_amount(shown or text) from error


def _no_amount(text: str) -> RowRefused:
    return RowRefused(RejectReason.invalid_amount, f"amount: {text} is no number as described")


def _bounded(number: Decimal) -> Decimal:
    """Return a number that exact arithmetic can hold.

    Raises:
        RowRefused: it cannot, or is none.
    """
    if not number.is_finite():
        raise _no_amount(str(number))
    if number.adjusted() > _MOST_DIGITS or len(number.as_tuple().digits) > _MOST_DIGITS:
        detail = f"amount: it has more than {_MOST_DIGITS} digits"
        raise RowRefused(RejectReason.too_many_digits, detail)
    if number and number.adjusted() < -_MOST_DIGITS:
        raise RowRefused(RejectReason.too_many_decimals, "amount: it is next to nothing")
    return number


def _fitted(amount: Decimal, currency: Currency) -> Decimal:
    """Return an amount at the scale of its currency, judged as the pipeline will judge it."""
    try:
        return parse_amount(f'"{amount:f}"'.encode(), currency)
    except EventRefused as refusal:
        detail = f"amount: {amount:f} does not fit {currency.code}: {refusal.detail}"
        raise RowRefused(refusal.reason, detail) from refusal


def _signed(amount: Decimal, negative: bool, sign: str) -> SignedAmount:  # noqa: FBT001 - inner
    if not amount or sign == "drop":
        return SignedAmount(amount, refund=False)
    if sign == "reject" and negative:
        detail = "amount: it is negative, and the mapping says nothing about signs"
        raise RowRefused(RejectReason.negative_amount, detail)
    return SignedAmount(amount, refund=negative if sign != "refund_positive" else not negative)
