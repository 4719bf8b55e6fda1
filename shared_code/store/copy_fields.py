"""Fields of rows as COPY takes them in binary.

Each field is its length as four bytes, then its value in network byte order; NULL is the length -1.
Formats: PostgreSQL manual, COPY, "Binary Format", and the ``*_recv`` functions of the types.
Binary spares the server from reading times, hashes and numbers out of text.
"""

import struct
from collections.abc import Iterable, Sequence
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
# They hold 16 digits before the point: those of an amount, and of a value that is written as short.
_WHOLE_GROUPS: Final = 4
_AMOUNT_FRACTION_GROUPS: Final = 1
_VALUE_FRACTION_GROUPS: Final = 2
_PACKED_DIGITS: Final = _WHOLE_GROUPS * _GROUP_DIGITS
_VALUE_DECIMALS: Final = _VALUE_FRACTION_GROUPS * _GROUP_DIGITS
# From so many on, values are packed in less time together than one by one.
_MANY: Final = 32


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


def numerics(values: Sequence[Decimal]) -> list[bytes]:
    """Return fields that hold what ``numeric`` makes of each value, in less time for many."""
    if len(values) < _MANY:
        return list(map(numeric, values))
    texts = [f"{value:f}" for value in values]
    scales = [len(text.partition(".")[2]) for text in texts]
    if max(map(len, texts)) > _PACKED_DIGITS or max(scales) > _VALUE_DECIMALS:
        return list(map(numeric, values))
    units = np.array([int(text.replace(".", "")) for text in texts], dtype=np.int64)
    return _packed(units, np.array(scales, dtype=np.int64), _VALUE_FRACTION_GROUPS)


def amounts(columns: Columns) -> list[bytes]:
    """Return fields of type numeric, all of one width: the amounts of payments.

    Meant for ``Columns.once``: rows of payments and of their metrics both hold them.
    """
    return _packed(columns.minor_units(), columns.exponents(), _AMOUNT_FRACTION_GROUPS)


def _packed(units: Integers, scales: Integers, fraction_groups: int) -> list[bytes]:
    """Return fields of type numeric, of one width; the server drops groups that are zero.

    Args:
        units: each value without its point, at most 16 digits.
        scales: how many of its digits stand behind the point.
        fraction_groups: that hold them.
    """
    groups = _WHOLE_GROUPS + fraction_groups
    head = [(name, ">i2") for name in ("groups", "weight", "sign", "scale")]
    fields = np.empty(units.size, dtype=[("length", ">i4"), *head, ("group", ">i2", (groups,))])
    fields["length"] = fields.dtype.itemsize - 4
    fields["groups"] = groups
    fields["weight"] = _WHOLE_GROUPS - 1
    fields["sign"] = np.where(units < 0, _NEGATIVE, 0)
    fields["scale"] = scales
    unit = 10**scales
    whole, rest = np.divmod(np.abs(units), unit)
    rest *= _GROUP**fraction_groups // unit
    for part, first, last in ((whole, 0, _WHOLE_GROUPS), (rest, _WHOLE_GROUPS, groups)):
        for place in range(first, last):
            fields["group"][:, place] = part // _GROUP ** (last - 1 - place) % _GROUP
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
