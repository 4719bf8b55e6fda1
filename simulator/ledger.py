"""What the pipeline has to make of a simulation, reckoned by the simulator itself.

Nothing here calls the product's decoding or normalisation: the ledger is the second opinion.
Sums are taken over distinct valid payment events from the values that were generated, never from
the JSON text.
"""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple, Self

import msgspec

from shared_code.domain.vocabularies import RejectReason
from simulator.arrivals import Arrival
from simulator.defects import FAR_AHEAD
from simulator.errors import OutputFailed
from simulator.geography import COUNTRIES, HIGH_RISK_COUNTRIES
from simulator.parameters import Parameters
from simulator.wire import Customer, Event, Merchant, Payment

# How far the horizon reaches ahead; the bad events of the future must lie beyond it.
_HORIZON_AHEAD: Final = timedelta(days=1)
_KNOWN_COUNTRIES: Final = {country.code for country in COUNTRIES} | set(HIGH_RISK_COUNTRIES)


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


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """The account of one simulation.

    ``events == payments + duplicates + sum(rejected.values())`` always holds.

    Attributes:
        parameters: what was asked for.
        holds_until: processed before this, events of the far future are refused; not later.
        messages: Event Hubs messages, repeated ones included.
        repeated_messages: those that are sent a second time as they are.
        events: events in all messages; an unreadable message counts as one.
        payments: distinct valid payment events.
        duplicates: repetitions of those.
        late: payments that arrive windows after their neighbours.
        rejected: refused events by reason, each time they are sent.
        violations: distinct payments, and refused events, by the label they carry.
        qualities: distinct payments by quality flag; only flags that tell without the clock.
        sums: sorted by their four keys.
        totals: sorted by currency.
    """

    parameters: Parameters
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

    def save(self, path: Path) -> None:
        """Write the ledger as JSON; an older file is replaced at once or not at all.

        Raises:
            OutputFailed: the file cannot be written.
        """
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


class _Key(NamedTuple):
    window_start: datetime
    payment_method: str
    currency: str
    payment_status: str


class _Sum:
    __slots__ = ("amount", "count")

    def __init__(self) -> None:
        self.count = 0
        self.amount = Decimal(0)

    def add(self, amount: Decimal) -> None:
        self.count += 1
        self.amount += amount


class Bookkeeper:
    """Adds up messages as they are given out."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._messages = 0
        self._repeated = 0
        self._events = 0
        self._late = 0
        self._known: set[tuple[str, str, datetime]] = set()
        self._rejected: Counter[str] = Counter()
        self._violations: Counter[str] = Counter()
        self._qualities: Counter[str] = Counter()
        self._sums: defaultdict[_Key, _Sum] = defaultdict(_Sum)

    def record(self, events: tuple[Arrival, ...], *, repeated: bool) -> None:
        """Enter one message."""
        self._messages += 1
        self._repeated += repeated
        self._events += len(events)
        for event in events:
            if event.payment is not None:
                self._accept(event.payment, late=event.late)
            elif event.reason is not None:
                self._refuse(event.reason)

    def close(self) -> Ledger:
        """Return the ledger of all that was entered."""
        totals: defaultdict[str, _Sum] = defaultdict(_Sum)
        for key, each in self._sums.items():
            totals[key.currency].count += each.count
            totals[key.currency].amount += each.amount
        rejected = dict(sorted(self._rejected.items()))
        return Ledger(
            parameters=self._parameters,
            holds_until=self._parameters.end + FAR_AHEAD - _HORIZON_AHEAD,
            messages=self._messages,
            repeated_messages=self._repeated,
            events=self._events,
            payments=len(self._known),
            duplicates=self._events - len(self._known) - sum(rejected.values()),
            late=self._late,
            rejected=rejected,
            violations=dict(sorted(self._violations.items())),
            qualities=dict(sorted(self._qualities.items())),
            sums=tuple(
                WindowSum(*key, count=each.count, amount=each.amount)
                for key, each in sorted(self._sums.items())
            ),
            totals=tuple(
                CurrencyTotal(currency, each.count, each.amount)
                for currency, each in sorted(totals.items())
            ),
        )

    def _refuse(self, reason: RejectReason) -> None:
        self._rejected[reason.value] += 1
        self._violations[reason.value] += 1

    def _accept(self, payment: Payment, *, late: bool) -> None:
        if payment.identity in self._known:
            return
        self._known.add(payment.identity)
        event = payment.event
        self._late += late
        self._qualities.update(_qualities(payment))
        if event.violation:
            self._violations[event.violation] += 1
        key = _Key(
            _window_start(payment.event_time),
            event.payment_method,
            event.currency,
            event.payment_status,
        )
        self._sums[key].add(payment.amount)


def _window_start(event_time: datetime) -> datetime:
    """Return the five-minute edge at or before a time, by the face of the clock."""
    utc = event_time.astimezone(UTC)
    return utc.replace(minute=utc.minute - utc.minute % 5, second=0, microsecond=0)


def _qualities(payment: Payment) -> list[str]:
    """Return the quality flags that a payment must get."""
    event = payment.event
    customer, merchant = event.customer or Customer(), event.merchant or Merchant()
    found = {
        "zero_amount": not payment.amount,
        "customer_id_missing": not customer.id,
        "customer_email_missing": not customer.email,
        "customer_email_invalid": event.violation == "customer_email_invalid",
        "customer_country_missing": not customer.country,
        "customer_country_invalid": event.violation == "customer_country_invalid",
        "country_mismatch": _countries_differ(customer.country, merchant.country),
        "card_data_missing": _is_card(event) and event.card is None,
        "card_number_present": event.violation == "card_number_present",
    }
    return [name for name, holds in found.items() if holds]


def _is_card(event: Event) -> bool:
    return event.payment_method in {"credit_card", "debit_card"}


def _countries_differ(one: str | None, other: str | None) -> bool:
    return one in _KNOWN_COUNTRIES and other in _KNOWN_COUNTRIES and one != other
