"""Fields of rows as COPY takes them in binary.

Each field is its length as four bytes, then its value in network byte order; NULL is the length -1.
Formats: PostgreSQL manual, COPY, "Binary Format", and the ``*_recv`` functions of the types.
Binary spares the server from reading times, hashes and numbers out of text.
"""

import struct
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared_code.rules.columns import Columns, Integers

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"
NULL: Final = b"\xff\xff\xff\xff"
TRUE: Final = b"\0\0\0\1\1"

# timestamptz counts microseconds from here.
POSTGRESQL_EPOCH: Final = 946_684_800_000_000
_INTEGER: Final = struct.Struct(">ii")
_SMALL_INTEGER: Final = struct.Struct(">ih")
_TIME: Final = struct.Struct(">iq")
_NUMERIC: Final = struct.Struct(">iHhHH")
_LENGTH: Final = struct.Struct(">i")
# No text of a payment but its metadata is longer: the contract allows 320 characters at most.
_LENGTHS: Final = tuple(map(_LENGTH.pack, range(2048)))

_GROUP_DIGITS: Final = 4
_GROUP: Final = 10_000
_NEGATIVE: Final = 0x4000
# Four groups hold the 15 digits of an amount before the point, one those behind it.
_AMOUNT_GROUPS: Final = 5
_AMOUNT: Final = np.dtype(
    [
        ("length", ">i4"),
        ("groups", ">i2"),
        ("weight", ">i2"),
        ("sign", ">i2"),
        ("scale", ">i2"),
        ("group", ">i2", (_AMOUNT_GROUPS,)),
    ]
)


def integer(number: int) -> bytes:
    """Return a field of type integer."""
    return _INTEGER.pack(4, number)


def small_integer(number: int) -> bytes:
    """Return a field of type smallint."""
    return _SMALL_INTEGER.pack(2, number)


def time(microseconds: int) -> bytes:
    """Return a field of type timestamptz.

    Args:
        microseconds: since the Unix epoch.
    """
    return _TIME.pack(8, microseconds - POSTGRESQL_EPOCH)


def texts(values: Iterable[str | None]) -> list[bytes]:
    """Return fields of type text, each at most 2047 bytes long; NULL for None."""
    return [
        NULL if value is None else _LENGTHS[len(encoded := value.encode())] + encoded
        for value in values
    ]


def json_texts(values: Iterable[str | None]) -> list[bytes]:
    """Return fields of type jsonb from JSON text; NULL for None."""
    pack = _LENGTH.pack
    return [
        NULL if value is None else pack(len(encoded := value.encode()) + 1) + b"\1" + encoded
        for value in values
    ]


def hashes(values: Iterable[bytes | None]) -> list[bytes]:
    """Return fields of type bytea, each at most 2047 bytes long; NULL for None."""
    return [NULL if value is None else _LENGTHS[len(value)] + value for value in values]


def numeric(value: Decimal | None) -> bytes:
    """Return a field of type numeric at the scale of a finite ``value``; NULL for None."""
    if value is None:
        return NULL
    text = f"{value:f}"
    sign = 0
    if text[0] == "-":
        text, sign = text[1:], _NEGATIVE
    whole, _, fraction = text.partition(".")
    before, behind = -(-len(whole) // _GROUP_DIGITS), -(-len(fraction) // _GROUP_DIGITS)
    figures = whole.zfill(before * _GROUP_DIGITS) + fraction.ljust(behind * _GROUP_DIGITS, "0")
    groups = [int(figures[at : at + _GROUP_DIGITS]) for at in range(0, len(figures), _GROUP_DIGITS)]
    head = _NUMERIC.pack(8 + 2 * len(groups), len(groups), before - 1, sign, len(fraction))
    return head + struct.pack(f">{len(groups)}h", *groups)


def amounts(columns: Columns) -> list[bytes]:
    """Return fields of type numeric, all of one width: the amounts of payments.

    Meant for ``Columns.once``: rows of payments and of their metrics both hold them.
    """
    minor_units, exponents = columns.minor_units(), columns.exponents()
    unit = 10**exponents
    whole = minor_units // unit
    fields = np.empty(columns.size, dtype=_AMOUNT)
    fields["length"] = _AMOUNT.itemsize - 4
    fields["groups"] = _AMOUNT_GROUPS
    fields["weight"] = _AMOUNT_GROUPS - 2
    fields["sign"] = 0
    fields["scale"] = exponents
    for place in range(_AMOUNT_GROUPS - 1):
        fields["group"][:, place] = whole // _GROUP ** (_AMOUNT_GROUPS - 2 - place) % _GROUP
    fields["group"][:, -1] = minor_units % unit * (_GROUP // unit)
    return pieces(fields)


def transaction_ids(columns: Columns) -> list[bytes]:
    """Return fields of type text: the ids of payments; for ``Columns.once``, too."""
    return texts(columns.values("transaction_id"))


def event_times(columns: Columns) -> Integers:
    """Return event times as timestamptz counts them."""
    return columns.microseconds() - POSTGRESQL_EPOCH


def pieces(fields: NDArray[np.void]) -> list[bytes]:
    """Return the bytes of each row of fields that all have one width."""
    every: list[bytes] = fields.view(f"V{fields.dtype.itemsize}").tolist()
    return every
