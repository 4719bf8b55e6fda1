"""A score: what ``python -m simulator score --json`` writes."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Self

import msgspec

from simulator.errors import OutputFailed
from simulator.score.detectors import Unit
from simulator.score.rates import Delay, Rate


class Missed(msgspec.Struct, frozen=True, kw_only=True):
    """An occurrence that nothing in the table of detectors speaks of.

    Attributes:
        incident: the name of the occurrence, as in the labels of its events.
        subject: whom it is about, by rule fields; empty if it is about its events one by one.
        events: how many it has: those of the whole incident, or 1.
        first: event time of the first, UTC.
        last: event time of the last, UTC.
        transaction_id: of the event, or of the last one of the incident; None if it has none.
        hint: what else was said of it, or that it was not stored; None if nothing was said.
        explain: the command that goes on from here, None if no payment was stored.
    """

    incident: str
    subject: dict[str, str]
    events: int
    first: datetime
    last: datetime
    transaction_id: str | None
    hint: str | None
    explain: str | None


class FalseDetection(msgspec.Struct, frozen=True, kw_only=True):
    """A detection by a signal of a kind's own that belongs to no occurrence that may raise it.

    Attributes:
        signal: such as ``alert customer_rapid_fire`` or ``flag zero_amount``.
        subject: whom an alert is about; of other detections the payment or the refused event.
        first: event time from which on it holds; None of a refused event.
        last: event time until which it holds.
        explain: the command that goes on from here, None if no payment was stored.
    """

    signal: str
    subject: dict[str, str | None]
    first: datetime | None
    last: datetime | None
    explain: str | None


class SignalCount(msgspec.Struct, frozen=True):
    """How many occurrences one signal found, such as ``alert customer_rapid_fire``."""

    signal: str
    found: int


class KindScore(msgspec.Struct, frozen=True, kw_only=True):
    """How well one kind of violation was found.

    Attributes:
        kind: of violation.
        family: of the kind.
        unit: what is counted by recall: incidents or events.
        recall: occurrences found, of those injected.
        precision: detections by the kind's own signals that belong to something injected, of all.
        f1: of the two, None if either is empty.
        found_by: how many occurrences each signal found, most first; several may find one.
        detected_after: incidents: event time from the first event to the first alert.
        known_after: events: clock time from the arrival in the event hub to flag, match or alert.
        missed: examples.
        false_detections: examples.
    """

    kind: str
    family: str
    unit: Unit
    recall: Rate
    precision: Rate
    f1: float | None
    found_by: tuple[SignalCount, ...]
    detected_after: Delay | None
    known_after: Delay | None
    missed: tuple[Missed, ...]
    false_detections: tuple[FalseDetection, ...]


class RuleCount(msgspec.Struct, frozen=True):
    """How many alerts of one rule."""

    rule: str
    alerts: int


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """How well the violations of one simulation were found.

    Attributes:
        start: of the simulation, in event time, UTC.
        end: event times lie before.
        kinds: those that were injected, or detected for nothing, in the order of the configuration.
        alerts: of all rules, that people see.
        unexplained: of those, by rule, that belong to nothing injected.
        withdrawn: alerts that were taken back; no detections.
        suppressed: alerts that nobody sees on purpose; no detections.
        notes: what keeps the score from being the last word.
    """

    start: datetime
    end: datetime
    kinds: tuple[KindScore, ...]
    alerts: int
    unexplained: tuple[RuleCount, ...]
    withdrawn: int
    suppressed: int
    notes: tuple[str, ...]

    def of_kind(self, kind: str) -> KindScore | None:
        """Return the score of a kind, None if it was neither injected nor detected."""
        return next((each for each in self.kinds if each.kind == kind), None)

    @property
    def worst_recall(self) -> KindScore | None:
        """The kind of which the smallest share was found."""
        return min(self._with("recall"), key=lambda each: each.recall.value or 0.0, default=None)

    @property
    def worst_precision(self) -> KindScore | None:
        """The kind whose own signals were raised for nothing most often."""
        rated = self._with("precision")
        return min(rated, key=lambda each: each.precision.value or 0.0, default=None)

    def _with(self, name: str) -> Iterator[KindScore]:
        return (each for each in self.kinds if getattr(each, name).whole)

    def save(self, path: Path) -> None:
        """Write the score as JSON.

        Raises:
            OutputFailed: the file cannot be written.
        """
        try:
            path.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n")
        except OSError as error:
            msg = f"cannot write the score to {path}: {error.strerror}"
            raise OutputFailed(msg) from error

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what ``save`` has written.

        Raises:
            OutputFailed: there is no such file, or it holds something else.
        """
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except OSError as error:
            msg = f"cannot read the score {path}: {error.strerror}"
            raise OutputFailed(msg) from error
        except msgspec.DecodeError as error:
            msg = f"{path} is no score: {error}"
            raise OutputFailed(msg) from error
