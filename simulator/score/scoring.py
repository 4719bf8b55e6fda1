"""Compares the ledger of a simulation with what the pipeline found in it.

What the words mean:

Occurrence
    What was injected once. Of kinds that are incidents (fan-in, card testing) a whole incident; of
    the others each distinct payment event, and each distinct refused event however often it was
    sent.
Found
    An incident is found if an alert of one of its kind's signals belongs to it, or one of its
    events has another of these signals. An event is found if it has one of them itself: by its
    identity (transaction id, status and event time) or, if it had to be refused, by the hash of its
    text (else its transaction id) and the reason. One that was expected to be refused and was
    stored and flagged instead is found as well.
Belongs
    An alert belongs to an incident if its evidence shows one of the incident's payments, or if it
    is about the incident's subject and ``[first_seen, last_seen]`` overlaps the incident's time.
Recall
    Occurrences found, of those injected.
Precision
    Of the detections by the kind's own signals, those that belong to an occurrence of a kind that
    raises the signal with good reason (``detectors.raised_by``). The others are false: they are
    about unlabelled payments, or about incidents that have nothing to do with the signal. A
    detection is an alert, a payment event, or a refused event; one that starts outside the
    simulation's time and belongs to nothing is somebody else's.
No detections
    Alerts that were withdrawn or are suppressed, and alerts about the pipeline or a rule itself.
Unexplained
    Alerts of any rule that belong to nothing injected, of whatever kind.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import Connection

from shared_code.domain.windows import Window
from simulator.configuration.suggestions import nearest
from simulator.ledger import EventKey, Ledger
from simulator.score.attribution import span_of
from simulator.score.counting import Counted, count
from simulator.score.detectors import DETECTORS, KINDS, Detector, Signal
from simulator.score.errors import UnknownKind
from simulator.score.evidence import Evidence, gather
from simulator.score.examples import false_example, last_event, missed_example
from simulator.score.outcome import KindScore, RuleCount, Score, SignalCount
from simulator.score.rates import delay, f1, rate
from simulator.score.reading import (
    Arrival,
    arrivals_of,
    capped_rules,
    open_windows,
    rules_of,
    stored_payments,
    unseen_alerts,
)


def score(
    connection: Connection, ledger: Ledger, *, examples: int = 5, kinds: Collection[str] = ()
) -> Score:
    """Return how well the pipeline found what was injected.

    Args:
        connection: to the pipeline's database, in one transaction; it is only read.
        ledger: of the simulation, whose time the database should share with no other.
        examples: how many missed and false ones of each kind to name at most.
        kinds: of violations to score; all if empty.

    Raises:
        UnknownKind: there is no such kind.
    """
    detectors = chosen(kinds)
    evidence = gather(connection, ledger, detectors)
    positions = defaultdict(list)
    for position, violation in enumerate(ledger.injected):
        positions[violation.violation].append(position)
    every = [
        (detector, count(detector, evidence, positions[detector.kind])) for detector in detectors
    ]
    counts = [(detector, each) for detector, each in every if each.occurrences or each.false_ones]
    shown = [occurrence for _, each in counts for occurrence in each.missed[:examples]]
    looked_at = {key for each in shown if (key := last_event(evidence, each)) is not None}
    found = {key for _, each in counts for key in each.found_events}
    stored = arrivals_of(connection, found | looked_at)
    span = span_of(ledger)
    withdrawn, suppressed = unseen_alerts(connection, span)
    return Score(
        start=ledger.start,
        end=ledger.end,
        kinds=tuple(
            _kind_score(evidence, detector, each, stored, examples) for detector, each in counts
        ),
        alerts=sum(1 for alert, at in evidence.alerts if at or evidence.inside(alert.first_seen)),
        unexplained=_unexplained(evidence),
        withdrawn=withdrawn,
        suppressed=suppressed,
        notes=tuple(_notes(connection, ledger, span, [detector for detector, _ in counts])),
    )


def chosen(kinds: Collection[str]) -> Sequence[Detector]:
    """Return the detectors of some kinds, in the order of the configuration; of all if empty.

    Raises:
        UnknownKind: there is no such kind.
    """
    for kind in kinds:
        if kind not in KINDS:
            near = nearest(kind, KINDS)
            msg = f"there is no kind of violation {kind!r}; "
            msg += f"did you mean {near!r}?" if near else f"there are {', '.join(KINDS)}"
            raise UnknownKind(msg)
    return [detector for detector in DETECTORS if not kinds or detector.kind in kinds]


def _kind_score(
    evidence: Evidence,
    detector: Detector,
    counted: Counted,
    stored: Mapping[EventKey, Arrival],
    examples: int,
) -> KindScore:
    recall = rate(counted.occurrences - len(counted.missed), counted.occurrences)
    precision = rate(counted.detections - len(counted.false_ones), counted.detections)
    return KindScore(
        kind=detector.kind,
        family=detector.family,
        unit=detector.unit,
        recall=recall,
        precision=precision,
        f1=f1(recall, precision),
        found_by=tuple(
            SignalCount(str(signal), found) for signal, found in _ranked(counted.found_by)
        ),
        detected_after=delay(counted.found_after),
        known_after=delay(list(_latencies(counted, stored))),
        missed=tuple(
            missed_example(evidence, detector, occurrence, stored)
            for occurrence in counted.missed[:examples]
        ),
        false_detections=tuple(
            false_example(detector, detection) for detection in counted.false_ones[:examples]
        ),
    )


def _latencies(counted: Counted, stored: Mapping[EventKey, Arrival]) -> Iterator[float]:
    for key, raised_at in counted.found_events.items():
        arrival = stored.get(key)
        if arrival is not None and arrival.enqueued_at is not None:
            known_at = raised_at or arrival.stored_at
            yield (known_at - arrival.enqueued_at).total_seconds()


def _unexplained(evidence: Evidence) -> tuple[RuleCount, ...]:
    """Return how many alerts of each rule belong to nothing injected, most first."""
    rules = Counter(
        alert.rule_id
        for alert, positions in evidence.alerts
        if not positions and evidence.inside(alert.first_seen)
    )
    return tuple(RuleCount(rule, alerts) for rule, alerts in _ranked(rules))


def _ranked[Name: (str, Signal)](counts: Counter[Name]) -> list[tuple[Name, int]]:
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))


def _notes(
    connection: Connection, ledger: Ledger, span: Window, detectors: Sequence[Detector]
) -> Iterator[str]:
    """Yield what keeps the score from being the last word."""
    if not ledger.complete:
        yield "the simulation was interrupted: the ledger holds what was generated until then"
    if (stored := stored_payments(connection, span)) < ledger.payments:
        yield f"{stored} of {ledger.payments} payments are stored: the pipeline has to go on"
    if waiting := open_windows(connection, span):
        yield f"{waiting} windows of the span are not closed; alerts of those are not there yet"
    for rule in capped_rules(connection, span):
        yield f"{rule} found more in one window than it may raise alerts for; the rest has none"
    known = rules_of(connection, span)
    wanted = {
        signal.name
        for detector in detectors
        for signal in detector.signals
        if signal.source in {"alert", "match"}
    }
    if missing := sorted(wanted - known):
        yield f"payments were judged without these rules: {', '.join(missing)}"
