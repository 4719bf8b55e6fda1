"""The events of subjects over time: what velocity and sequence rules look at."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import NamedTuple

import numpy as np

from shared_code.domain.windows import Window
from shared_code.rules.columns import ABSENT, Columns, Integers, Mask
from shared_code.rules.fields import FIELDS
from shared_code.rules.findings import SHOWN_PAYMENTS, Finding
from shared_code.rules.rule_parts import microseconds_of, payment_evidence

type Identity = tuple[datetime, str, int]


class Hit(NamedTuple):
    """A payment event at which a velocity or sequence rule has an outcome."""

    identity: Identity
    outcome: int


class StreamResult(NamedTuple):
    """What a velocity or sequence rule found in a span of time."""

    findings: Sequence[Finding]
    hits: Sequence[Hit]


class SubjectEvents:
    """Payments of some subjects in key order, told apart by subject and by payment.

    Args:
        columns: the payments.
        subject: field that says whose they are; None where each payment stands for itself.
        group_by: more fields that set subjects apart.
    """

    def __init__(self, columns: Columns, subject: str | None, group_by: Sequence[str] = ()) -> None:
        self.columns = columns
        self.times = columns.microseconds()
        self.payments = columns.labels("transaction_id")
        self.subjects = (
            self.payments if subject is None else _subject_codes(columns, subject, group_by)
        )

    def identity(self, row: int) -> Identity:
        """Return what makes an event itself."""
        columns = self.columns
        return (
            columns.values("event_time")[row],
            columns.values("transaction_id")[row],
            columns.values("payment_status")[row],
        )

    def inside(self, span: Window) -> Mask:
        """Return which events lie in a half-open span of time."""
        start, end = microseconds_of(span.start), microseconds_of(span.end)
        return (self.times >= start) & (self.times < end)

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
        self._order = rows[np.argsort(events.subjects[rows], kind="stable")]
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


def _subject_codes(columns: Columns, subject: str, group_by: Sequence[str]) -> Integers:
    """Return one code for each combination of subject and dimensions; -1 without a subject."""
    own = columns.labels(FIELDS[subject].column)
    codes = own
    for labels in _dimension_labels(columns, group_by):
        _, codes = np.unique(codes * (int(labels.max()) + 2) + labels, return_inverse=True)
    return np.where(own == ABSENT, ABSENT, codes)


def _dimension_labels(columns: Columns, group_by: Sequence[str]) -> Iterator[Integers]:
    """Yield labels from zero; a missing dimension is a group of its own."""
    if columns.size:
        for name in group_by:
            yield columns.labels(FIELDS[name].column) + 1
