"""What the pipeline has to make of a simulation, reckoned by the simulator itself.

Nothing here calls the product's decoding or normalisation: the ledger is the second opinion.
Sums are taken over distinct valid payment events from the values that were generated, never from
the JSON text.
"""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Self

import msgspec

from simulator.configuration.structure import Configuration
from simulator.errors import OutputFailed


class WindowSum(msgspec.Struct, frozen=True):
    """Payments of one five-minute window, payment method, currency and status.

    ``amount`` is exact and stands in the file as a decimal string; ``window_start`` is UTC.
    """

    window_start: datetime
    payment_method: str
    currency: str
    payment_status: str
    count: int
    amount: Decimal


class CurrencyTotal(msgspec.Struct, frozen=True):
    """All payments of one currency, whatever their status."""

    currency: str
    count: int
    amount: Decimal


class EventKey(msgspec.Struct, frozen=True, array_like=True):
    """Identity of a valid payment event."""

    transaction_id: str
    payment_status: str
    event_time: datetime


class RefusedEvent(msgspec.Struct, frozen=True):
    """An event that the pipeline has to refuse.

    Attributes:
        reason: under which it is filed.
        body_hash: BLAKE2b of its JSON text, 16 bytes in hexadecimal digits: what
            ``rejected_events`` keeps of it. Of an unreadable message, of the whole message.
        transaction_id: its own, None if the event holds none that can be read.
    """

    reason: str
    body_hash: str
    transaction_id: str | None = None


class InjectedViolation(msgspec.Struct, frozen=True, kw_only=True):
    """One occurrence of a violation: what has to be found.

    Attributes:
        violation: its kind, a field of the configuration's ``violations``.
        incident: names this occurrence; the labels of its events have it, too.
        subject: whom it is about, by rule fields such as ``customer.id``; empty if it is about
            its events one by one.
        first: event time of its first event, UTC.
        last: event time of its last event, UTC.
        events: its valid payment events, in order of event time.
        refused: its events that have to be refused.
    """

    violation: str
    incident: str
    subject: dict[str, str]
    first: datetime
    last: datetime
    events: tuple[EventKey, ...] = ()
    refused: tuple[RefusedEvent, ...] = ()


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """The account of one simulation.

    ``events == payments + duplicates + sum(rejected.values())`` always holds.

    Attributes:
        configuration: what was asked for, with the time span that it came to; the last one if it
            changed on the way.
        complete: False if the simulation was interrupted: what is in here was generated.
        start: event times begin here, UTC.
        end: event times lie before, UTC, but for those of violations.
        holds_until: processed before this, events of the far future are refused; not later.
        messages: Event Hubs messages, repeated ones included.
        repeated_messages: those that are sent a second time as they are.
        events: events in all messages; an unreadable message counts as one.
        payments: distinct valid payment events.
        duplicates: repetitions of those.
        late: payments that arrive far later than their neighbours on purpose.
        rejected: refused events by reason, each time they are sent.
        violations: distinct payments, and refused events each time they are sent, by kind of
            violation.
        qualities: distinct payments by quality flag; only flags that tell without the clock.
        sums: sorted by their four keys.
        totals: sorted by currency.
        injected: every occurrence of a violation, in order of its first event.
    """

    configuration: Configuration
    complete: bool
    start: datetime
    end: datetime
    holds_until: datetime
    messages: int
    repeated_messages: int
    events: int
    payments: int
    duplicates: int
    late: int
    rejected: dict[str, int]
    violations: dict[str, int]
    qualities: dict[str, int]
    sums: tuple[WindowSum, ...]
    totals: tuple[CurrencyTotal, ...]
    injected: tuple[InjectedViolation, ...]

    def save(self, path: Path) -> None:
        """Write the ledger as JSON; an older file is replaced at once or not at all.

        Raises:
            OutputFailed: the file cannot be written, or is something else than a file.
        """
        if path.exists() and not path.is_file():
            msg = f"{path} is no file that a ledger could replace; name another --ledger file"
            raise OutputFailed(msg)
        text = msgspec.json.format(msgspec.json.encode(self), indent=2)
        unfinished = path.with_name(f"{path.name}.unfinished")
        try:
            unfinished.write_bytes(text + b"\n")
            unfinished.replace(path)
        except OSError as error:
            msg = f"cannot write the ledger to {path}: {error.strerror}; name another --ledger file"
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
            msg = f"cannot read the ledger {path}: {error.strerror}"
            raise OutputFailed(msg) from error
        except msgspec.DecodeError as error:
            msg = f"{path} is no ledger: {error}; write one by `python -m simulator run --ledger`"
            raise OutputFailed(msg) from error
