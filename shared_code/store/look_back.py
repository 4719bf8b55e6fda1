"""Where the payments of each subject lie, window by window: what rules look back by.

An index that leads from a subject to its payments would cost every insert. Whoever closes a window
has all its payments at hand, and leaves a block for each kind of subject: of every payment a hash
of 32 bits and its event time, eight bytes in all. A block is written with the window's figures and
stands for exactly the payments that these are of. Where a mark shows that there are more by now,
or where there is no block, the window's payments are read by event time instead.

Hashes of two subjects may be equal; payments of others do no harm to rules.
"""

import io
import struct
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from shared_code.domain.windows import EPOCH, WINDOW_LENGTH, Window, window_start
from shared_code.rules.columns import Columns
from shared_code.rules.packed import Texts
from shared_code.store import copy_fields as fields

# What has blocks: subjects but those of few values, such as countries, and named payments.
INDEXED: Final = (
    "transaction_id",
    "customer_id",
    "merchant_id",
    "card_fingerprint",
    "counterparty_id",
    "original_transaction_id",
)

_TABLE: Final = "look_back_blocks"
_MICROSECOND: Final = timedelta(microseconds=1)
_LONGEST_PART: Final = timedelta(days=1)
_EXISTS: Final = text(f"SELECT to_regclass('{_TABLE}') IS NOT NULL")
_DELETE: Final = text(f"DELETE FROM {_TABLE} WHERE window_start = :window_start")
_DELETE_BEFORE: Final = text(f"DELETE FROM {_TABLE} WHERE window_start < :before")
_COPY: Final = f"""
    COPY {_TABLE} (subject_column, window_start, hashes, moments) FROM STDIN (FORMAT binary)
"""
_READ: Final = f"""
    COPY (
        SELECT window_start, hashes, moments
        FROM {_TABLE} AS block
        WHERE subject_column = %(column)s AND window_start >= %(start)s AND window_start < %(end)s
          AND NOT EXISTS (SELECT FROM window_marks AS mark
                          WHERE mark.window_start = block.window_start)
        ORDER BY window_start
    ) TO STDOUT (FORMAT binary)
"""
_ROW: Final = struct.Struct(">hiqi")
_FIELDS: Final = struct.Struct(">h")
_LENGTH: Final = struct.Struct(">i")
# A quiet window has few payments, and every step of NumPy costs as much as looking at hundreds.
_HASHES_AT_ONCE: Final = 1 << 18
# Subjects are looked for in this table first, by the low bits of their hashes.
_TABLE_BITS: Final = 22
_TABLE_MASK: Final = np.uint32((1 << _TABLE_BITS) - 1)


class Found(NamedTuple):
    """Where payments of some subjects may be found.

    Attributes:
        moments: event times, in microseconds since the Unix epoch.
        unknown: spans in which every payment has to be looked at, each about a day long at most.
    """

    moments: NDArray[np.int64]
    unknown: Sequence[Window]


class _Block(NamedTuple):
    """Hashes and moments of one window; moments count from ``start``, in microseconds."""

    start: int
    hashes: NDArray[np.uint32]
    moments: NDArray[np.uint32]


def has_blocks(connection: Connection) -> bool:
    """Tell whether the schema has blocks; that of the release before has none."""
    return bool(connection.execute(_EXISTS).scalar_one())


def replace_blocks(connection: Connection, window: Window, columns: Columns) -> None:
    """Replace the blocks of a window by those of its payments.

    Args:
        connection: in the transaction that closes the window.
        window: which has ended.
        columns: all its payments that the transaction sees, with the columns ``INDEXED``.
    """
    connection.execute(_DELETE, {"window_start": window.start})
    start = (window.start - EPOCH) // _MICROSECOND
    content = [fields.HEADER]
    for name in INDEXED:
        subjects = _texts(columns, name)
        rows = np.flatnonzero(subjects.present)
        moments = (columns.microseconds()[rows] - start).astype("<u4")
        hashes = subjects.taken(rows).hashes.astype("<u4")
        content += [_FIELDS.pack(4), *fields.texts([name]), fields.time(start)]
        content += [_block(hashes), _block(moments)]
    cursor: Any = connection.connection.cursor()
    cursor.copy_expert(_COPY, io.BytesIO(b"".join([*content, fields.TRAILER])))


def _block(numbers: NDArray[np.uint32]) -> bytes:
    """Return a field of type bytea, of any length."""
    return _LENGTH.pack(numbers.nbytes) + numbers.tobytes()


def delete_blocks_before(connection: Connection, before: datetime) -> None:
    """Delete the blocks of windows whose payments are dropped."""
    connection.execute(_DELETE_BEFORE, {"before": before})


class Sought:
    """Subjects that are looked for, by their hashes; a few others may be found, too."""

    def __init__(self, subjects: Collection[Any]) -> None:
        if not isinstance(subjects, Texts):
            encoded = np.array([subject.encode() for subject in subjects], dtype=np.object_)
            subjects = Texts(encoded)
        self._hashes = np.unique(subjects.hashes)
        self._table = np.zeros(1 << _TABLE_BITS, dtype=np.bool_)
        self._table[self._hashes & _TABLE_MASK] = True

    def places(self, hashes: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Return the positions of the hashes that are of the subjects."""
        places = np.flatnonzero(self._table[hashes & _TABLE_MASK])
        return places[np.isin(hashes[places], self._hashes)]

    def moments(self, columns: Columns, column: str) -> NDArray[np.int64]:
        """Return the event times, in microseconds, of the payments of the subjects."""
        return columns.microseconds()[self.places(_texts(columns, column).hashes)]


def moments_in_blocks(connection: Connection, column: str, sought: Sought, span: Window) -> Found:
    """Return where payments of subjects lie in a span, as far as blocks tell.

    Args:
        connection: in a transaction of REPEATABLE READ isolation.
        column: one of ``INDEXED``.
        sought: subjects, by their values in that column.
        span: of event time.
    """
    first = window_start(span.start)
    reader = _Blocks(sought)
    cursor: Any = connection.connection.cursor()
    parameters = {"column": column, "start": first, "end": span.end}
    cursor.copy_expert(cursor.mogrify(_READ, parameters), reader)
    moments = reader.moments()
    start, end = ((edge - EPOCH) // _MICROSECOND for edge in span)
    inside = moments[(moments >= start) & (moments < end)]
    return Found(inside, list(_without(span, first, reader.windows)))


class _Blocks:
    """Takes blocks as COPY writes them, one at a time, and keeps what is of the subjects."""

    def __init__(self, sought: Sought) -> None:
        self._sought = sought
        self._waiting: list[_Block] = []
        self._size = 0
        self._found: list[NDArray[np.int64]] = []
        self.windows: set[datetime] = set()

    def write(self, row: bytes) -> None:
        """Take one row, or the header before it, or the trailer behind the last."""
        at = len(fields.HEADER) if row.startswith(fields.HEADER) else 0
        if len(row) - at <= len(fields.TRAILER):
            return
        _, _, since, size = _ROW.unpack_from(row, at)
        start = since + fields.POSTGRESQL_EPOCH
        self.windows.add(EPOCH + start * _MICROSECOND)
        at += _ROW.size
        hashes: NDArray[np.uint32] = np.frombuffer(row, dtype="<u4", count=size // 4, offset=at)
        moments = np.frombuffer(row, dtype="<u4", count=size // 4, offset=at + size + 4)
        self._waiting.append(_Block(start, hashes, moments))
        self._size += hashes.size
        if self._size >= _HASHES_AT_ONCE:
            self._look_through()

    def moments(self) -> NDArray[np.int64]:
        """Return the event times, in microseconds, of what is of the subjects."""
        self._look_through()
        return np.concatenate([np.zeros(0, dtype=np.int64), *self._found])

    def _look_through(self) -> None:
        blocks, self._waiting, self._size = self._waiting, [], 0
        if not blocks:
            return
        places = self._sought.places(np.concatenate([block.hashes for block in blocks]))
        moments = np.concatenate([block.moments for block in blocks])[places]
        ends = np.cumsum([block.hashes.size for block in blocks])
        starts = np.array([block.start for block in blocks], dtype=np.int64)
        self._found.append(starts[np.searchsorted(ends, places, side="right")] + moments)


def _texts(columns: Columns, column: str) -> Texts:
    subjects = columns.values(column)
    if not isinstance(subjects, Texts):
        message = f"the column {column} is not packed"
        raise TypeError(message)
    return subjects


def _without(span: Window, first: datetime, known: Collection[datetime]) -> Iterator[Window]:
    """Yield the parts of a span whose windows are not known, joined to parts of about a day."""
    begin: datetime | None = None
    start = first
    while start < span.end:
        if start in known:
            if begin is not None:
                yield Window(begin, start)
            begin = None
        elif begin is None:
            begin = max(start, span.start)
        elif start - begin >= _LONGEST_PART:
            yield Window(begin, start)
            begin = start
        start += WINDOW_LENGTH
    if begin is not None:
        yield Window(begin, span.end)
