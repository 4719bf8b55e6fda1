"""Texts of payments before a window and of those in it: found in each other, and not copied."""

from typing import Any, override

import numpy as np
from numpy.typing import NDArray

from shared_code.rules.packed import ABSENT, Integers, Mask, Texts


class JoinedTexts(Texts):
    """A column of some payments and then of others; labels are those that the others have."""

    __slots__ = ("_first", "_second")

    def __init__(self, first: Texts, second: Texts) -> None:
        super().__init__(first.encoded[:0])
        self._first = first
        self._second = second

    @property
    @override
    def encoded(self) -> NDArray[Any]:
        return self._first.followed_by(self._second).encoded

    @override
    def __len__(self) -> int:
        return len(self._first) + len(self._second)

    @property
    @override
    def present(self) -> Mask:
        return np.concatenate((self._first.present, self._second.present))

    @property
    @override
    def numbers(self) -> NDArray[np.uint64] | None:
        first, second = self._first.numbers, self._second.numbers
        return None if first is None or second is None else np.concatenate((first, second))

    @override
    def taken(self, rows: Integers) -> Texts:
        behind = rows >= len(self._first)
        places = np.empty(rows.size, dtype=np.int64)
        # Those of the first part are put first, and then each where it belongs.
        places[~behind] = np.arange(rows.size - behind.sum())
        places[behind] = np.arange(rows.size - behind.sum(), rows.size)
        first = self._first.taken(rows[~behind])
        return first.followed_by(self._second.taken(rows[behind] - len(self._first))).taken(places)

    @property
    @override
    def _labelling(self) -> tuple[Integers, Integers]:
        if self._labelled is None:
            labels = in_both(self._first, self._second)
            rest = np.flatnonzero(self._first.present & (labels == ABSENT))
            numbers, examples = self._first.taken(rest).label()
            known = self._second.examples
            labels[rest] = numbers + known.size
            self._labelled = (
                np.concatenate((labels, self._second.labels)),
                np.concatenate((known + len(self._first), rest[examples])),
            )
        return self._labelled

    @override
    def _one(self, row: int) -> str | None:
        size = len(self._first)
        text: str | None = self._first[row] if row < size else self._second[row - size]
        return text


def in_both(texts: Texts, others: Texts) -> NDArray[np.int32]:
    """Return for each text the label that it has among other texts; -1 if it is none of them."""
    found = _labels_by_number(texts, others)
    return _labels_by_sorting(texts, others) if found is None else found


def _labels_by_number(texts: Texts, others: Texts) -> NDArray[np.int32] | None:
    """Return the labels among others; None where numbers of texts do not tell them apart."""
    labels, among = others.labels, others
    if others.examples.size < len(others):
        labels, among = np.arange(others.examples.size), others.taken(others.examples)
    wanted, known = texts.numbers, among.numbers
    if wanted is None or known is None or not wanted.size:
        return None
    # The texts alone are sorted: others may be a window's million.
    numbers, number_of = np.unique(wanted, return_inverse=True)
    places = np.minimum(np.searchsorted(numbers, known), numbers.size - 1)
    rows = np.flatnonzero((numbers[places] == known) & among.present)
    row_of = np.full(numbers.size, ABSENT, dtype=np.int64)
    row_of[places[rows]] = rows
    beside = np.where(texts.present, row_of[number_of], ABSENT)
    hits = np.flatnonzero(beside != ABSENT)
    alike = np.array_equal(labels[rows], labels[row_of[places[rows]]])
    if not alike or not among.taken(beside[hits]).equals(texts.taken(hits)).all():
        return None
    found = np.full(wanted.size, ABSENT, dtype=np.int32)
    found[hits] = labels[beside[hits]]
    return found


def _labels_by_sorting(texts: Texts, others: Texts) -> NDArray[np.int32]:
    examples = others.taken(others.examples)
    whole = examples.followed_by(texts).labels
    # The last place is that of the label of an absent text.
    known = np.full(int(whole.max(initial=ABSENT)) + 2, ABSENT, dtype=np.int32)
    known[whole[: len(examples)]] = np.arange(len(examples))
    found: NDArray[np.int32] = known[whole[len(examples) :]]
    return found
