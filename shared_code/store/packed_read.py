"""Reads payments into arrays: COPY in binary, taken apart a chunk of rows at a time.

A row of a result would be an object for each of its values; here a payment takes the bytes of its
values. Formats: PostgreSQL manual, COPY, "Binary Format", and the ``*_send`` functions.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from shared_code.domain.currencies import CURRENCY_BY_NUMBER
from shared_code.rules.columns import Columns
from shared_code.rules.fields import FIELDS, Kind
from shared_code.rules.packed import Amounts, Codes, Integers, Packed, Texts, Times
from shared_code.store.copy_fields import HEADER, POSTGRESQL_EPOCH, TRAILER

KINDS: Final[Mapping[str, Kind]] = {field.column: field.kind for field in FIELDS.values()}

_ROWS_AT_ONCE: Final = 1 << 15
# Longer texts are kept as objects: one of them would make a whole column as wide.
_WIDEST: Final = 64
_WORD: Final = 8
_WORD_MASKS: Final = np.array([(1 << 8 * size) - 1 for size in range(_WORD + 1)], dtype=np.uint64)
_PADDING: Final = bytes(_WIDEST)
_GROUP: Final = 10_000
_GROUP_DIGITS: Final = 4
_DECIMALS: Final[NDArray[Any]] = np.zeros(1000, dtype=np.int8)
for _currency in CURRENCY_BY_NUMBER.values():
    _DECIMALS[_currency.number] = _currency.minor_unit


def read_packed(
    connection: Connection, names: Iterable[str], condition: str, parameters: Mapping[str, Any]
) -> Columns:
    """Return columns of the payments that a condition holds for, in the order of their key.

    Args:
        connection: in a transaction.
        names: of columns that fields of rules are stored in.
        condition: what follows FROM, in the driver's style of parameters; no part of it comes from
            outside.
        parameters: of the condition.
    """
    wanted = set(names)
    if "amount" in wanted:
        wanted.add("currency")
    # What an amount is in minor units depends on its currency, which is read before.
    reader = _Reader(sorted(wanted, key=lambda name: (name != "currency", name)))
    cursor: Any = connection.connection.cursor()
    query: bytes = cursor.mogrify(
        f"""
        COPY (
            SELECT {", ".join(map(_selected, reader.names))}
            FROM {condition}
            ORDER BY event_time, transaction_id, payment_status
        ) TO STDOUT (FORMAT binary)
        """,
        parameters,
    )
    cursor.copy_expert(query, reader)
    return reader.columns()


def _selected(name: str) -> str:
    # A literal without a type takes that of the column.
    return f"coalesce({name}, '-1')" if KINDS[name] is Kind.code else name


class _Reader:
    """Takes what COPY writes, one row at a time (PostgreSQL manual, "COPY Operations")."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self._rows: list[bytes] = []
        self._parts: dict[str, list[NDArray[Any]]] = {name: [] for name in names}
        self._size = 0

    def write(self, row: bytes) -> None:
        """Take one row."""
        self._rows.append(row)
        if len(self._rows) == _ROWS_AT_ONCE:
            self._take_apart()

    def columns(self) -> Columns:
        """Return what was read."""
        self._take_apart()
        columns: dict[str, Packed] = {}
        for name in self.names:
            parts = self._parts.pop(name)
            columns[name] = self._column(KINDS[name], parts, columns.get("currency"))
        return Columns(self._size, columns.__getitem__)

    def _column(self, kind: Kind, parts: list[NDArray[Any]], currencies: Packed | None) -> Packed:
        match kind:
            case Kind.time:
                return Times(_whole(parts, np.int64))
            case Kind.money if isinstance(currencies, Codes):
                return Amounts(_whole(parts, np.int64), _DECIMALS[currencies.numbers])
            case Kind.text:
                if any(part.dtype == np.object_ for part in parts):
                    parts = [part.astype(np.object_) for part in parts]
                return Texts(_whole(parts, np.dtype("S1")))
            case _:
                return Codes(_whole(parts, np.int32 if kind is Kind.flags else np.int16))

    def _take_apart(self) -> None:
        rows, self._rows = self._rows, []
        lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        starts = np.cumsum(lengths) - lengths
        # The header comes with the first row, or before it; the trailer has a row of its own.
        if rows and rows[0].startswith(HEADER):
            starts[0] += len(HEADER)
            lengths[0] -= len(HEADER)
        starts = starts[lengths > len(TRAILER)]
        if not starts.size:
            return
        self._size += starts.size
        fields = _Fields(b"".join([*rows, _PADDING]), starts + 2)
        rows.clear()
        decimals: NDArray[Any] = _DECIMALS[:0]
        for name in self.names:
            match KINDS[name]:
                case Kind.time:
                    part = fields.times()
                case Kind.money:
                    part = fields.minor_units(decimals)
                case Kind.text:
                    part = fields.texts()
                case Kind.flags:
                    part = fields.integers()
                case _:
                    part = fields.small_integers()
                    decimals = _DECIMALS[part] if name == "currency" else decimals
            self._parts[name].append(part)


class _Fields:
    """Takes one field after the other off many rows at once.

    Args:
        buffer: the rows, and more bytes behind them than the widest text has.
        at: where the first field of each row begins.
    """

    def __init__(self, buffer: bytes, at: Integers) -> None:
        self._buffer = buffer
        self._at = at

    def times(self) -> Integers:
        """Return fields of type timestamptz in microseconds since the Unix epoch; never NULL."""
        return self._fixed(">i8").astype(np.int64) + POSTGRESQL_EPOCH

    def integers(self) -> NDArray[Any]:
        """Return fields of type integer; never NULL."""
        return self._fixed(">i4").astype(np.int32)

    def small_integers(self) -> NDArray[Any]:
        """Return fields of type smallint; never NULL."""
        return self._fixed(">i2").astype(np.int16)

    def minor_units(self, decimals: NDArray[Any]) -> Integers:
        """Return fields of type numeric in units of so many decimals; never NULL nor negative."""
        lengths, groups = self._read(">i4", 0), self._read(">i2", 4)
        weights = self._read(">i2", 6).astype(np.int64)
        whole = np.zeros(self._at.size, dtype=np.int64)
        fraction = np.zeros_like(whole)
        most = int(groups.max())
        for place in range(most):
            # Rows with fewer groups read what is behind them, and do not count it.
            group = np.where(place < groups, self._read(">i2", 12 + 2 * place), 0)
            whole = np.where(weights >= place, whole * _GROUP + group, whole)
            fraction = np.where(weights == place - 1, group, fraction)
        # Groups of zeros at the end are left out.
        whole *= _GROUP ** np.maximum(weights + 1 - most, 0)
        self._at = self._at + lengths + 4
        factors = 10 ** decimals.astype(np.int64)
        return whole * factors + fraction // 10 ** (_GROUP_DIGITS - decimals.astype(np.int64))

    def texts(self) -> NDArray[Any]:
        """Return fields of type text in UTF-8; empty where they are NULL."""
        lengths = np.maximum(self._read(">i4", 0).astype(np.int64), 0)
        starts = self._at + 4
        self._at = starts + lengths
        widest = int(lengths.max())
        if widest > _WIDEST:
            bounds = zip(starts.tolist(), self._at.tolist(), strict=True)
            return np.array([self._buffer[start:end] for start, end in bounds], dtype=np.object_)
        words = -(-widest // _WORD) or 1
        found = np.empty((starts.size, words), dtype=np.uint64)
        every = self._view("<u8")
        for place in range(words):
            kept = np.clip(lengths - _WORD * place, 0, _WORD)
            found[:, place] = every[starts + _WORD * place] & _WORD_MASKS[kept]
        return found.view(f"S{_WORD * words}").ravel()

    def _fixed(self, kind: str) -> NDArray[Any]:
        values = self._read(kind, 4)
        self._at = self._at + 4 + np.dtype(kind).itemsize
        return values

    def _read(self, kind: str, offset: int) -> NDArray[Any]:
        """Return what stands so many bytes behind where each row's field begins."""
        return self._view(kind)[self._at + offset]

    def _view(self, kind: str) -> NDArray[Any]:
        """Return the number that begins at each byte."""
        size = len(self._buffer) - np.dtype(kind).itemsize + 1
        return np.ndarray((size,), dtype=kind, buffer=self._buffer, strides=(1,))


def _whole(parts: Sequence[NDArray[Any]], kind: Any) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=kind)
