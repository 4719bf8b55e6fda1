"""Small factories of ledgers, violations and scores, around one fixed moment."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from simulator.configuration.structure import Configuration
from simulator.ledger import EventKey, InjectedViolation, Ledger, RefusedEvent
from simulator.score.outcome import KindScore, Score
from simulator.score.rates import f1, rate

START = datetime(2026, 3, 4, 10, tzinfo=UTC)
END = START + timedelta(hours=2)


def event(
    transaction_id: str, minutes: float = 1, status: str = "completed", start: datetime = START
) -> EventKey:
    """Return the identity of a payment event so many minutes into the simulation."""
    return EventKey(transaction_id, status, start + timedelta(minutes=minutes))


def violation(
    kind: str,
    *events: EventKey,
    subject: Mapping[str, str] | None = None,
    incident: str = "",
    refused: Sequence[RefusedEvent] = (),
    span: tuple[datetime, datetime] | None = None,
) -> InjectedViolation:
    """Return an occurrence that lasts from its first to its last event."""
    times = [each.event_time for each in events] or [START]
    first, last = span or (min(times), max(times))
    return InjectedViolation(
        violation=kind,
        incident=incident or f"{kind}-1",
        subject=dict(subject or {}),
        first=first,
        last=last,
        events=events,
        refused=tuple(refused),
    )


def ledger(
    *injected: InjectedViolation,
    start: datetime = START,
    end: datetime = END,
    payments: int = 0,
    complete: bool = True,
) -> Ledger:
    """Return a ledger in which only what a score looks at is filled in."""
    return Ledger(
        configuration=Configuration(),
        complete=complete,
        start=start,
        end=end,
        holds_until=end,
        messages=0,
        repeated_messages=0,
        events=payments,
        payments=payments,
        duplicates=0,
        late=0,
        rejected={},
        violations={},
        qualities={},
        sums=(),
        totals=(),
        injected=injected,
    )


def kind_score(
    kind: str,
    recall: tuple[int, int] = (9, 10),
    precision: tuple[int, int] = (9, 10),
    **fields: object,
) -> KindScore:
    """Return the score of a kind of incident."""
    found, right = rate(*recall), rate(*precision)
    values = {
        "family": "money laundering",
        "unit": "incident",
        "found_by": (),
        "detected_after": None,
        "known_after": None,
        "missed": (),
        "false_detections": (),
    }
    values |= fields
    return KindScore(kind=kind, recall=found, precision=right, f1=f1(found, right), **values)


def whole_score(*kinds: KindScore, **fields: object) -> Score:
    """Return the score of a simulation."""
    values = {"alerts": 0, "unexplained": (), "withdrawn": 0, "suppressed": 0, "notes": ()}
    values |= fields
    return Score(start=START, end=END, kinds=kinds, **values)
