"""Counts for one kind of violation what was found, what was missed, and what was found falsely."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from simulator.ledger import EventKey, RefusedEvent
from simulator.score.detectors import Detector, Signal
from simulator.score.evidence import Evidence
from simulator.score.reading import StoredAlert, StoredRefusal


class Occurrence(NamedTuple):
    """What can be found or missed: an incident, by its position, or one event of it."""

    position: int
    event: EventKey | RefusedEvent | None = None


class Detection(NamedTuple):
    """A signal about something."""

    signal: Signal
    about: StoredAlert | EventKey | StoredRefusal


@dataclass(slots=True)
class Counted:
    """What was counted for one kind.

    Attributes:
        occurrences: how many were injected.
        missed: those that were not found.
        found_by: how many each signal found; several may have found one.
        found_after: of each incident that was found, seconds of event time.
        found_events: payment events that were found, with the time at which an alert was raised;
            None if they were known as soon as they were stored.
        detections: how many there are by the kind's own signals, false ones included.
        false_ones: those that belong to nothing which may raise them.
    """

    occurrences: int = 0
    missed: list[Occurrence] = field(default_factory=list)
    found_by: Counter[Signal] = field(default_factory=Counter)
    found_after: list[float] = field(default_factory=list)
    found_events: dict[EventKey, datetime | None] = field(default_factory=dict)
    detections: int = 0
    false_ones: list[Detection] = field(default_factory=list)


def count(detector: Detector, evidence: Evidence, positions: Sequence[int]) -> Counted:
    """Count what a detector found of its kind.

    Args:
        detector: of the kind.
        evidence: what was said.
        positions: of the violations of the kind.
    """
    counted = Counted()
    if detector.unit == "incident":
        _count_incidents(detector, evidence, positions, counted)
    else:
        _count_events(detector, evidence, positions, counted)
    detections = list(_detections(detector, evidence))
    counted.detections = len(detections)
    counted.false_ones = [detection for detection, is_true in detections if not is_true]
    return counted


def _count_incidents(
    detector: Detector, evidence: Evidence, positions: Sequence[int], counted: Counted
) -> None:
    for position in positions:
        violation = evidence.injected.violations[position]
        counted.occurrences += 1
        times = [
            (signal, seen)
            for signal in detector.signals
            for seen in _seen(signal, evidence, position)
        ]
        counted.found_by.update({signal for signal, _ in times})
        if times:
            # An alert that went on from before has seen the incident's first event at once.
            seconds = (min(seen for _, seen in times) - violation.first).total_seconds()
            counted.found_after.append(max(seconds, 0.0))
        else:
            counted.missed.append(Occurrence(position))


def _seen(signal: Signal, evidence: Evidence, position: int) -> list[datetime]:
    """Return the event times at which a signal told of an incident."""
    if signal.source == "alert":
        alerts = evidence.of_incident.get(position, ())
        return [alert.first_seen for alert in alerts if alert.rule_id == signal.name]
    said = evidence.events.get(signal, {})
    events = evidence.injected.violations[position].events
    return [key.event_time for key in events if key in said]


def _count_events(
    detector: Detector, evidence: Evidence, positions: Sequence[int], counted: Counted
) -> None:
    said = _said(detector, evidence)
    payments = {key.transaction_id for key in said}
    seen: set[EventKey | str] = set()
    for position in positions:
        violation = evidence.injected.violations[position]
        for key in violation.events:
            if key not in seen:
                seen.add(key)
                counted.occurrences += 1
                if key in said:
                    counted.found_events[key] = said[key]
                    counted.found_by.update(
                        signal
                        for signal in detector.signals
                        if key in evidence.events.get(signal, {})
                    )
                else:
                    counted.missed.append(Occurrence(position, key))
        for refused in violation.refused:
            if refused.body_hash not in seen:
                seen.add(refused.body_hash)
                counted.occurrences += 1
                if refused.reason in evidence.reasons(refused):
                    counted.found_by[Signal("refused", refused.reason)] += 1
                elif refused.transaction_id not in payments:
                    counted.missed.append(Occurrence(position, refused))


def _said(detector: Detector, evidence: Evidence) -> Mapping[EventKey, datetime | None]:
    """Return the payment events about which a detector's signals are, with when that was known."""
    said: dict[EventKey, datetime | None] = {}
    for signal in detector.signals:
        for key, raised_at in evidence.events.get(signal, {}).items():
            # A match or a flag is there at once, whenever an alert follows.
            at_once = raised_at is None or (key in said and said[key] is None)
            said[key] = None if at_once else raised_at
    return said


def _detections(detector: Detector, evidence: Evidence) -> Iterator[tuple[Detection, bool]]:
    """Yield each detection by a kind's own signals, and whether it belongs to what may raise it."""
    if detector.unit == "incident":
        yield from _alerts(detector, evidence)
    else:
        yield from _events(detector, evidence)
        yield from _refusals(detector, evidence)


def _alerts(detector: Detector, evidence: Evidence) -> Iterator[tuple[Detection, bool]]:
    for alert, positions in evidence.alerts:
        signal = Signal("alert", alert.rule_id)
        if signal not in detector.own:
            continue
        is_true = evidence.injected.may_raise(signal, positions)
        if is_true or evidence.inside(alert.first_seen):
            yield Detection(signal, alert), is_true


def _events(detector: Detector, evidence: Evidence) -> Iterator[tuple[Detection, bool]]:
    injected = evidence.injected
    found: dict[EventKey, tuple[Detection, bool]] = {}
    for signal in detector.own:
        for key in evidence.events.get(signal, {}):
            is_true = injected.may_raise(signal, injected.of_event(key))
            if is_true or (key not in found and evidence.inside(key.event_time)):
                found[key] = Detection(signal, key), is_true
    for key in sorted(found, key=lambda each: (each.event_time, each.transaction_id)):
        yield found[key]


def _refusals(detector: Detector, evidence: Evidence) -> Iterator[tuple[Detection, bool]]:
    for refusal, positions in evidence.refusals:
        signal = Signal("refused", refusal.reason)
        if signal in detector.own:
            is_true = evidence.injected.may_raise(signal, positions)
            yield Detection(signal, refusal), is_true
