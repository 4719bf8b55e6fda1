"""The events of subjects over time: what velocity and sequence rules look at."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Final, NamedTuple, Self

import numpy as np

from shared_code.domain.windows import Window
from shared_code.rules.columns import ABSENT, Columns, Integers, Mask
from shared_code.rules.fields import FIELDS
from shared_code.rules.findings import SHOWN_PAYMENTS, Finding
from shared_code.rules.joined_texts import in_both
from shared_code.rules.ordering import ascending, numbered
from shared_code.rules.outcomes import NO_OUTCOMES, RowOutcomes
from shared_code.rules.packed import Texts
from shared_code.rules.rule_parts import microseconds_of, payment_evidence


class StreamResult(NamedTuple):
    """What a velocity or sequence rule found in a span of time; hits are its outcomes there."""

    findings: Sequence[Finding]
    hits: RowOutcomes

    def among(self, rows: Integers) -> "StreamResult":
        """Return what was found in some rows, with hits by their position among all."""
        return self._replace(hits=RowOutcomes(rows[self.hits.rows], self.hits.outcomes))


NOTHING_FOUND: Final = StreamResult((), NO_OUTCOMES)


@dataclass(frozen=True, slots=True)
class SubjectEvents:
    """Payments in key order, told apart by subject and by payment.

    Attributes:
        columns: the payments.
        times: of the events, in microseconds since the Unix epoch.
        payments: a label for each payment; an event of the same one has the same.
        subjects: a code for each subject; -1 where an event has none.
    """

    columns: Columns
    times: Integers
    payments: Integers
    subjects: Integers

    @classmethod
    def of(cls, columns: Columns, subject: str | None, group_by: Sequence[str] = ()) -> Self:
        """Tell payments apart.

        Args:
            columns: the payments.
            subject: field that says whose they are; None where each payment stands for itself.
            group_by: more fields that set subjects apart.
        """
        return cls(
            columns,
            columns.microseconds(),
            columns.labels("transaction_id"),
            _subject_codes(columns, subject, group_by),
        )

    def picked(self, rows: Integers) -> "SubjectEvents":
        """Return some of the events, as they are told apart among all."""
        return SubjectEvents(
            self.columns.picked(rows), self.times[rows], self.payments[rows], self.subjects[rows]
        )

    def inside(self, span: Window) -> Mask:
        """Return which events lie in a half-open span of time."""
        # Events are in the order of time.
        first, end = np.searchsorted(self.times, [*map(microseconds_of, span)])
        found = np.zeros(self.times.size, dtype=np.bool_)
        found[first:end] = True
        return found

    def shown(self, rows: Integers, last: Sequence[int] = ()) -> list[dict[str, str]]:
        """Return the last few payments of some rows, each once, as evidence.

        Args:
            rows: ascending.
            last: a row that comes behind them, if there is one.
        """
        latest: dict[int, int] = {}
        for row in map(int, chain(last, reversed(rows))):
            latest.setdefault(int(self.payments[row]), row)
            if len(latest) == SHOWN_PAYMENTS:
                break
        return [payment_evidence(self.columns, row) for row in sorted(latest.values())]


class CountedEvents:
    """The counted events of each subject, to be looked up many times."""

    def __init__(self, events: SubjectEvents, counted: Mask) -> None:
        rows = np.flatnonzero(counted & (events.subjects != ABSENT))
        self._events = events
        self._order = rows[ascending(events.subjects[rows])]
        self._subjects = events.subjects[self._order]
        self._times = events.times[self._order]

    def members(self, row: int, within: int) -> Integers:
        """Return the counted events of an event's subject less than ``within`` before it.

        They are ascending, and not copied: one subject may have all the payments there are.
        """
        subject, time = self._events.subjects[row], self._events.times[row]
        first, last = np.searchsorted(self._subjects, [subject, subject + 1])
        times = self._times[first:last]
        low, high = np.searchsorted(times, [time - within, time], side="right")
        return self._order[first + low : first + high]


def of_subjects(subjects: Integers, judged: Mask) -> Mask:
    """Return which events are of a subject that has an event to be judged."""
    # The last place is that of events without a subject.
    wanted = np.zeros(int(subjects.max(initial=ABSENT)) + 2, dtype=np.bool_)
    wanted[subjects[judged]] = True
    wanted[ABSENT] = False
    return wanted[subjects]


def _subject_codes(columns: Columns, subject: str | None, group_by: Sequence[str]) -> Integers:
    """Return one code for each combination of subject and dimensions; -1 without a subject."""
    if subject is None or not group_by:
        return columns.labels(FIELDS[subject or "transaction_id"].column)
    return columns.once(_codes_of(subject, tuple(group_by)))


@cache
def _codes_of(subject: str, group_by: tuple[str, ...]) -> Callable[[Columns], Integers]:
    """Return one function for each kind of subject, so that columns make its codes once."""

    def codes_of(columns: Columns) -> Integers:
        own = columns.labels(FIELDS[subject].column)
        codes = np.maximum(own, 0).astype(np.int64)
        for labels in _dimension_labels(columns, group_by):
            codes = numbered(codes * (int(labels.max()) + 1) + labels)
        return np.where(own == ABSENT, ABSENT, codes)

    return codes_of


def _dimension_labels(columns: Columns, group_by: Sequence[str]) -> Iterator[Integers]:
    """Yield labels from zero; a missing dimension is a group of its own."""
    if columns.size:
        for name in group_by:
            yield columns.labels(FIELDS[name].column) + 1


def named_codes(columns: Columns) -> Integers:
    """Return the label of the payment that each event names, among those that are there; or -1."""
    ids, names = columns.values("transaction_id"), columns.values("original_transaction_id")
    if isinstance(ids, Texts) and isinstance(names, Texts):
        codes = np.full(columns.size, ABSENT, dtype=np.int64)
        rows = np.flatnonzero(names.present)
        codes[rows] = in_both(names.taken(rows), ids)
        return codes
    known = dict(zip(ids, columns.labels("transaction_id").tolist(), strict=True))
    return np.array([known.get(name, ABSENT) for name in names], dtype=np.int64)
