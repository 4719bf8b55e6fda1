"""Which injected violation something belongs to: an alert, a payment event, a refused event."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from shared_code.domain.windows import Window
from simulator.ledger import EventKey, InjectedViolation, Ledger
from simulator.score.detectors import Signal, raised_by
from simulator.score.reading import StoredAlert, StoredRefusal

# Spans are half-open, times have microseconds.
_MICROSECOND: Final = timedelta(microseconds=1)


class Injected:
    """The injected violations of a ledger, to be looked up. They are known by their position.

    Attributes:
        violations: all of them, in the ledger's order.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.violations: Sequence[InjectedViolation] = ledger.injected
        self._by_subject: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._by_payment: dict[str, list[int]] = defaultdict(list)
        self._by_event: dict[EventKey, list[int]] = defaultdict(list)
        self._by_refusal: dict[tuple[str, str], list[int]] = defaultdict(list)
        for position, violation in enumerate(self.violations):
            for field, value in violation.subject.items():
                self._by_subject[field, value].append(position)
            for key in violation.events:
                self._by_event[key].append(position)
            for transaction_id in {key.transaction_id for key in violation.events}:
                self._by_payment[transaction_id].append(position)
            for refused in violation.refused:
                self._by_refusal["body", refused.body_hash].append(position)
                if refused.transaction_id is not None:
                    self._by_refusal["transaction_id", refused.transaction_id].append(position)

    def of_alert(self, alert: StoredAlert) -> set[int]:
        """Return the violations that an alert belongs to.

        Those of which it shows a payment, and those whose time overlaps its own and whose subject
        is its own: one field at least is equal, and none differs.
        """
        shown = {*alert.shown, alert.subject.get("transaction_id")}
        found = {at for name in shown if name for at in self._by_payment.get(name, ())}
        for field, value in alert.subject.items():
            for at in self._by_subject.get((field, value or ""), ()):
                violation = self.violations[at]
                if _overlap(alert, violation) and _agree(alert.subject, violation.subject):
                    found.add(at)
        return found

    def of_event(self, key: EventKey) -> Collection[int]:
        """Return the violations that a payment event belongs to."""
        return self._by_event.get(key, ())

    def of_refusal(self, refusal: StoredRefusal) -> Collection[int]:
        """Return the violations that a refused event belongs to: by its text, else by its id."""
        known = self._by_refusal.get(("body", refusal.body_hash))
        if known is None and refusal.transaction_id is not None:
            known = self._by_refusal.get(("transaction_id", refusal.transaction_id))
        return known or ()

    def may_raise(self, signal: Signal, positions: Iterable[int]) -> bool:
        """Tell whether one of some violations raises a signal with good reason."""
        kinds = raised_by(signal)
        return any(self.violations[at].violation in kinds for at in positions)


def span_of(ledger: Ledger) -> Window:
    """Return the event times to read: those of the simulation, and of its valid violations."""
    times = [key.event_time for violation in ledger.injected for key in violation.events]
    last = max(times, default=ledger.start)
    first = min(times, default=ledger.start)
    return Window(min(ledger.start, first), max(ledger.end, last + _MICROSECOND))


def _overlap(alert: StoredAlert, violation: InjectedViolation) -> bool:
    return alert.first_seen <= violation.last and alert.last_seen >= violation.first


def _agree(subject: Mapping[str, str | None], other: Mapping[str, str]) -> bool:
    return all(subject.get(field, value) == value for field, value in other.items())
