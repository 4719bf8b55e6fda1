"""Columns of payments as arrays: no Python object for each payment until one is asked for.

A packed column reads like a sequence of what is stored, so that whatever looks at a few payments
need not know of it. What looks at all of them takes the arrays.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Self, overload, override

import numpy as np
from numpy.typing import NDArray

type Mask = NDArray[np.bool_]
type Integers = NDArray[np.int64]

ABSENT: Final = -1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
NO_TIME: Final = np.iinfo(np.int64).min
_TOO_LONG: Final = 2**63
_WORD: Final = 8
_HASHED: Final = 64
# Odd, with ones and zeros in no order: the golden ratio of 64 bits.
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)
_HALF: Final = np.uint64(32)


class Packed(Sequence[Any], ABC):
    """A column as an array; None where a payment lacks the field."""

    __slots__ = ("_labelled",)

    def __init__(self) -> None:
        self._labelled: tuple[Integers, Integers] | None = None

    @property
    @abstractmethod
    def present(self) -> Mask:
        """Where payments have the field."""

    @abstractmethod
    def taken(self, rows: Integers) -> "Packed":
        """Return the column of some payments; a row of -1 stands for no payment."""

    @abstractmethod
    def followed_by(self, other: Self) -> Self:
        """Return the column of some payments and then of others."""

    @property
    def labels(self) -> Integers:
        """Numbers from 0: equal numbers, equal values; -1 where a payment lacks the field."""
        return self._labelling[0]

    @property
    def examples(self) -> Integers:
        """For each label a row that has it."""
        return self._labelling[1]

    @property
    def _labelling(self) -> tuple[Integers, Integers]:
        if self._labelled is None:
            present = self.present
            if present.all():
                self._labelled = self.label()
            else:
                rows = np.flatnonzero(present)
                numbers, examples = self.taken(rows).label()
                labels = np.full(len(self), ABSENT, dtype=numbers.dtype)
                labels[rows] = numbers
                self._labelled = labels, rows[examples]
        return self._labelled

    @abstractmethod
    def label(self) -> tuple[Integers, Integers]:
        """Return labels and examples of a column that every payment has."""

    @abstractmethod
    def _one(self, row: int) -> Any: ...

    @override
    def __contains__(self, value: object) -> bool:
        if value is None:
            return not self.present.all()
        return super().__contains__(value)

    @overload
    def __getitem__(self, row: int) -> Any: ...
    @overload
    def __getitem__(self, row: slice) -> "Packed": ...
    @override
    def __getitem__(self, row: int | slice) -> Any:
        if isinstance(row, slice):
            return self.taken(np.arange(*row.indices(len(self))))
        return self._one(row)


class Codes(Packed):
    """Stored numbers, not negative; -1 for an absent one."""

    __slots__ = ("numbers",)

    def __init__(self, numbers: Integers) -> None:
        super().__init__()
        self.numbers = numbers

    @override
    def __len__(self) -> int:
        return self.numbers.size

    @property
    @override
    def present(self) -> Mask:
        return np.not_equal(self.numbers, ABSENT)

    @override
    def taken(self, rows: Integers) -> "Codes":
        return Codes(_taken(self.numbers, rows, ABSENT))

    @override
    def followed_by(self, other: "Codes") -> "Codes":
        return Codes(np.concatenate((self.numbers, other.numbers)))

    @override
    def label(self) -> tuple[Integers, Integers]:
        return _numbered(self.numbers)

    @override
    def _one(self, row: int) -> int | None:
        number = int(self.numbers[row])
        return None if number == ABSENT else number


class Times(Packed):
    """Microseconds since the Unix epoch."""

    __slots__ = ("microseconds",)

    def __init__(self, microseconds: Integers) -> None:
        super().__init__()
        self.microseconds = microseconds

    @override
    def __len__(self) -> int:
        return self.microseconds.size

    @property
    @override
    def present(self) -> Mask:
        return np.not_equal(self.microseconds, NO_TIME)

    @override
    def taken(self, rows: Integers) -> "Times":
        return Times(_taken(self.microseconds, rows, NO_TIME))

    @override
    def followed_by(self, other: "Times") -> "Times":
        return Times(np.concatenate((self.microseconds, other.microseconds)))

    @override
    def label(self) -> tuple[Integers, Integers]:
        return _numbered(self.microseconds)

    @override
    def _one(self, row: int) -> datetime | None:
        time = int(self.microseconds[row])
        return None if time == NO_TIME else _EPOCH + time * _MICROSECOND


class Amounts(Packed):
    """Amounts in minor units, not negative, and the decimals of each; -1 for an absent one."""

    __slots__ = ("decimals", "minor_units")

    def __init__(self, minor_units: Integers, decimals: Integers) -> None:
        super().__init__()
        self.minor_units = minor_units
        self.decimals = decimals

    @override
    def __len__(self) -> int:
        return self.minor_units.size

    @property
    @override
    def present(self) -> Mask:
        return np.not_equal(self.minor_units, ABSENT)

    @override
    def taken(self, rows: Integers) -> "Amounts":
        return Amounts(_taken(self.minor_units, rows, ABSENT), _taken(self.decimals, rows, 0))

    @override
    def followed_by(self, other: "Amounts") -> "Amounts":
        return Amounts(
            np.concatenate((self.minor_units, other.minor_units)),
            np.concatenate((self.decimals, other.decimals)),
        )

    @override
    def label(self) -> tuple[Integers, Integers]:
        pairs = np.column_stack((self.decimals.astype(np.int64), self.minor_units))
        _, examples, labels = np.unique(pairs, axis=0, return_index=True, return_inverse=True)
        return labels, examples

    @override
    def _one(self, row: int) -> Decimal | None:
        amount = int(self.minor_units[row])
        return None if amount == ABSENT else Decimal(amount).scaleb(-int(self.decimals[row]))


class Fractions(Packed):
    """Exact fractions, reckoned for each payment; a denominator of 0 for an absent one."""

    __slots__ = ("denominators", "numerators")

    def __init__(self, numerators: Integers, denominators: Integers) -> None:
        super().__init__()
        self.numerators = numerators
        self.denominators = denominators

    @override
    def __len__(self) -> int:
        return self.numerators.size

    @property
    @override
    def present(self) -> Mask:
        return np.not_equal(self.denominators, 0)

    @override
    def taken(self, rows: Integers) -> "Fractions":
        return Fractions(_taken(self.numerators, rows, 0), _taken(self.denominators, rows, 0))

    @override
    def followed_by(self, other: "Fractions") -> "Fractions":
        return Fractions(
            np.concatenate((self.numerators, other.numerators)),
            np.concatenate((self.denominators, other.denominators)),
        )

    def compared(self, compare: Callable[[Any, Any], Any], bound: Fraction) -> Mask:
        """Return how each compares with a number; anything where it is absent."""
        left, right = self.numerators, self.denominators
        longest = max(int(abs(left).max(initial=0)), int(right.max(initial=0)))
        if longest * max(abs(bound.numerator), bound.denominator) >= _TOO_LONG:
            left, right = left.astype(np.object_), right.astype(np.object_)
        holds: Mask = compare(left * bound.denominator, right * bound.numerator)
        return holds.astype(np.bool_)

    @override
    def label(self) -> tuple[Integers, Integers]:
        pairs = np.column_stack((self.numerators, self.denominators))
        _, examples, labels = np.unique(pairs, axis=0, return_index=True, return_inverse=True)
        return labels, examples

    @override
    def _one(self, row: int) -> Fraction | None:
        under = int(self.denominators[row])
        return Fraction(int(self.numerators[row]), under) if under else None


class Texts(Packed):
    """Texts in UTF-8, none of them empty; an empty one for an absent one.

    Args:
        encoded: of fixed width, NUL behind what is shorter; or objects, where some are long.
    """

    __slots__ = ("_encoded",)

    def __init__(self, encoded: NDArray[Any]) -> None:
        super().__init__()
        self._encoded = encoded

    @property
    def encoded(self) -> NDArray[Any]:
        """The texts as they were given."""
        return self._encoded

    @override
    def __len__(self) -> int:
        return self.encoded.size

    @property
    @override
    def present(self) -> Mask:
        if self.encoded.dtype == np.object_ or not self.encoded.dtype.itemsize:
            return np.array([bool(text) for text in self.encoded], dtype=np.bool_)
        # Only an empty text begins with a NUL.
        first: NDArray[np.uint8] = self.encoded.view(np.uint8)[:: self.encoded.dtype.itemsize]
        return np.not_equal(first, 0)

    @override
    def taken(self, rows: Integers) -> "Texts":
        return Texts(_taken(self.encoded, rows, b""))

    @override
    def followed_by(self, other: "Texts") -> "Texts":
        parts = [self.encoded, other.encoded]
        if any(part.dtype == np.object_ for part in parts):
            parts = [part.astype(np.object_) for part in parts]
        return Texts(np.concatenate(parts))

    def equals(self, other: "Texts") -> Mask:
        """Return where two columns of as many payments hold the same text, or neither one."""
        equal: Mask = np.equal(self.encoded, other.encoded).astype(np.bool_)
        return equal

    @property
    def numbers(self) -> NDArray[np.uint64] | None:
        """A number for each text, the same for equal ones; None where some are kept as objects."""
        return None if self.encoded.dtype == np.object_ else _mixed(self.encoded)

    @property
    def hashes(self) -> NDArray[np.uint32]:
        """A number of 32 bits for each text, the same wherever it stands and for ever."""
        # Of a longer text its beginning will do.
        encoded = self.encoded
        if encoded.dtype == np.object_ or encoded.dtype.itemsize > _HASHED:
            encoded = encoded.astype(f"S{_HASHED}")
        return (_mixed(encoded) >> _HALF).astype(np.uint32)

    @override
    def label(self) -> tuple[Integers, Integers]:
        if self.encoded.dtype != np.object_ and self.encoded.size:
            labels, examples = _numbered(_mixed(self.encoded))
            # Two texts may share a number; then they are told apart the slow way.
            if np.array_equal(self.encoded, self.encoded[examples][labels]):
                return labels, examples
        _, examples, labels = np.unique(self.encoded, return_index=True, return_inverse=True)
        return labels, examples

    @override
    def _one(self, row: int) -> str | None:
        text: bytes = self.encoded[row]
        return text.decode() or None


def _taken(values: NDArray[Any], rows: Integers, absent: Any) -> NDArray[Any]:
    if rows.size and rows.min() < 0:
        taken = np.full(rows.size, absent, dtype=values.dtype)
        known = rows >= 0
        taken[known] = values[rows[known]]
        return taken
    return values[rows]


def _mixed(encoded: NDArray[np.bytes_]) -> NDArray[np.uint64]:
    """Return a number of 64 bits for each text: equal texts, equal numbers."""
    width = -(-encoded.dtype.itemsize // _WORD) * _WORD
    words = encoded.astype(f"S{width}").view("<u8").reshape(encoded.size, width // _WORD)
    mixed = np.zeros(encoded.size, dtype=np.uint64)
    for place in range(words.shape[1]):
        stirred = (mixed ^ words[:, place]) * _FACTOR
        stirred ^= stirred >> _HALF
        # Behind a text is nothing, however wide its column.
        mixed = np.where(words[:, place] == 0, mixed, stirred)
    return mixed


def _numbered(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return labels from 0 by ascending value, and for each the first row that has it."""
    if not values.size:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    order = np.argsort(values)
    ordered = values[order]
    begins = np.ones(values.size, dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=begins[1:])
    # Payments that are read together are fewer than 2**31.
    labels = np.empty(values.size, dtype=np.int32)
    labels[order] = np.cumsum(begins, dtype=np.int32) - 1
    return labels, order[begins]
