"""Makes examples of what was missed and of what was found falsely, with how to go on from them."""

import shlex
from collections.abc import Mapping
from typing import Final

from simulator.ledger import EventKey, RefusedEvent
from simulator.score.counting import Detection, Occurrence
from simulator.score.detectors import Detector
from simulator.score.evidence import Evidence
from simulator.score.outcome import FalseDetection, Missed
from simulator.score.reading import Arrival, StoredAlert

_EXPLAIN: Final = "python -m shared_code rules explain"


def last_event(evidence: Evidence, occurrence: Occurrence) -> EventKey | None:
    """Return the payment event at which to look: the last one of an incident; None if refused."""
    if isinstance(occurrence.event, RefusedEvent):
        return None
    events = evidence.injected.violations[occurrence.position].events
    return occurrence.event or (events[-1] if events else None)


def missed_example(
    evidence: Evidence,
    detector: Detector,
    occurrence: Occurrence,
    stored: Mapping[EventKey, Arrival],
) -> Missed:
    """Return an example of what was missed.

    Args:
        evidence: what was said.
        detector: that missed it.
        occurrence: that was missed.
        stored: the payment event at which to look among others, if the database holds it.
    """
    violation = evidence.injected.violations[occurrence.position]
    event, key = occurrence.event, last_event(evidence, occurrence)
    alone = event if isinstance(event, EventKey) else None
    transaction_id = event.transaction_id if isinstance(event, RefusedEvent) else None
    return Missed(
        incident=violation.incident,
        subject=violation.subject,
        events=len(violation.events) + len(violation.refused) if event is None else 1,
        first=alone.event_time if alone else violation.first,
        last=alone.event_time if alone else violation.last,
        transaction_id=key.transaction_id if key else transaction_id,
        hint=_hint(evidence, occurrence, stored),
        explain=_explain(key.transaction_id, _rule(detector)) if key and key in stored else None,
    )


def _hint(
    evidence: Evidence,
    occurrence: Occurrence,
    stored: Mapping[EventKey, Arrival],
) -> str | None:
    """Return what else was said of an occurrence, or why nothing could be."""
    event = occurrence.event
    if isinstance(event, RefusedEvent):
        reasons = ", ".join(sorted(evidence.reasons(event)))
        return f"refused as {reasons}" if reasons else f"not refused as {event.reason}"
    key = last_event(evidence, occurrence)
    if key is not None and key not in stored:
        return "not stored"
    said = set() if event is None else {str(signal) for signal in evidence.signals_of(event)}
    alerts = evidence.of_incident.get(occurrence.position, ())
    said |= {f"alert {alert.rule_id}" for alert in alerts}
    return ", ".join(sorted(said)) or None


def false_example(detector: Detector, detection: Detection) -> FalseDetection:
    """Return an example of what was found falsely."""
    signal, about = detection
    rule = signal.name if signal.source in {"alert", "match"} else _rule(detector)
    if isinstance(about, StoredAlert):
        shown = about.shown[-1] if about.shown else about.subject.get("transaction_id")
        return FalseDetection(
            signal=str(signal),
            subject=dict(about.subject),
            first=about.first_seen,
            last=about.last_seen,
            explain=_explain(shown, rule) if shown else None,
        )
    if isinstance(about, EventKey):
        return FalseDetection(
            signal=str(signal),
            subject={
                "transaction_id": about.transaction_id,
                "payment_status": about.payment_status,
            },
            first=about.event_time,
            last=about.event_time,
            explain=_explain(about.transaction_id, rule),
        )
    names = {"body_hash": about.body_hash, "transaction_id": about.transaction_id}
    return FalseDetection(
        signal=str(signal),
        subject={name: value for name, value in names.items() if value is not None},
        first=None,
        last=None,
        explain=None,
    )


def _rule(detector: Detector) -> str | None:
    """Return the rule that speaks of a kind first, None if none does."""
    rules = (signal.name for signal in detector.signals if signal.source in {"alert", "match"})
    return next(rules, None)


def _explain(transaction_id: str, rule: str | None) -> str:
    command = f"{_EXPLAIN} {shlex.quote(transaction_id)}"
    return command if rule is None else f"{command} --rule {rule}"
