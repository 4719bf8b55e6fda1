"""Has the product's decoder judge occurrences of violations, event by event and in company."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from violation_trials import AT, REMAINING, occurrence

from shared_code.domain.decoding import DecodedBatch, Message, Origin, decode_batch
from shared_code.domain.horizon import horizon_at
from shared_code.domain.pseudonyms import Pseudonymiser
from shared_code.domain.vocabularies import QualityFlag, RejectReason
from simulator.configuration.violation_settings import Violation
from simulator.violations.incident import Incident, Refusal
from simulator.violations.kind import Kind
from simulator.wire import Payment, to_json

# Three years: the longest retention at which what is ancient is refused.
RETENTION: Final = timedelta(days=3 * 365)
END: Final = AT + REMAINING
_NONE: Final = QualityFlag(0)


def decoded(body: bytes, *, after_end: timedelta = timedelta(0)) -> DecodedBatch:
    """Decode one message by a clock that stands at the simulation's end, or later."""
    message = Message(Origin("namespace", "payments", "0", 0), body)
    horizon = horizon_at(END + after_end, RETENTION)
    return decode_batch([message], Pseudonymiser(b"k" * 32), horizon)


def occurrences(
    kind: Kind, number: int, *, subtlety: float = 0.0, settings: Violation | None = None
) -> list[Incident]:
    return [occurrence(kind, turn, subtlety=subtlety, settings=settings) for turn in range(number)]


def payments_of(incidents: Iterable[Incident]) -> list[Payment]:
    return [payment for incident in incidents for payment in incident.payments]


def refusals_of(incidents: Iterable[Incident]) -> list[Refusal]:
    return [refusal for incident in incidents for refusal in incident.refused]


def flags_of(payment: Payment) -> QualityFlag:
    """Return the flags of a payment, but for one that ordinary payments have.

    It has to be accepted with the time and the amount that the ledger has of it.
    """
    batch = decoded(to_json(payment.event))
    assert not batch.rejected
    [placed] = batch.payments
    stored = placed.accepted.payment
    assert (stored.event_time, stored.amount) == (payment.event_time, payment.amount)
    assert stored.amount.as_tuple().exponent == payment.amount.as_tuple().exponent
    assert stored.transaction_id == payment.event.transaction_id
    return QualityFlag(placed.accepted.quality_flags) & ~QualityFlag.country_mismatch


def reason_of(refusal: Refusal) -> RejectReason:
    """Return why an event is refused when it is a message of its own: nothing else comes of it."""
    batch = decoded(refusal.body)
    assert not batch.payments
    [rejected] = batch.rejected
    return rejected.reason


def body_hash_is_kept(refusal: Refusal) -> bool:
    """Tell whether what is kept of a refused event is known by the hash of its text."""
    [rejected] = decoded(refusal.body).rejected
    return rejected.body_hash == hashlib.blake2b(refusal.body, digest_size=16).digest()


def harms_neighbours(refusal: Refusal, neighbours: Sequence[Payment]) -> bool:
    """Tell whether anything else changes when an event stands between two good ones."""
    before, after = (to_json(payment.event) for payment in neighbours)
    batch = decoded(b"[" + before + b"," + refusal.body + b"," + after + b"]")
    accepted = [placed.accepted.payment.transaction_id for placed in batch.payments]
    reasons = [rejected.reason for rejected in batch.rejected]
    return (accepted, reasons) != (
        [payment.event.transaction_id for payment in neighbours],
        [refusal.reason],
    )


def assert_judged_as_labelled(
    kind: Kind, incidents: Iterable[Incident], flags: QualityFlag = _NONE
) -> None:
    """Assert that payments get ``flags`` and no more, and refused events their own reason."""
    incidents = list(incidents)
    for payment in payments_of(incidents):
        assert flags_of(payment) == flags, payment.event
        assert payment.event.violation == kind.name
    for refusal in refusals_of(incidents):
        assert reason_of(refusal) == refusal.reason, refusal.body[:1000]
    assert not any(incident.subject for incident in incidents)
    events = [each.event.transaction_id for each in payments_of(incidents)]
    events += [refusal.body.decode("latin-1") for refusal in refusals_of(incidents)]
    assert len(set(events)) >= len(incidents)
    sizes = [len(incident.payments) + len(incident.refused) for incident in incidents]
    assert set(sizes) == {kind.events(0.0)} == {kind.events(1.0)}
