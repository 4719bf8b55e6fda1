"""What the pipeline has to make of messages, reckoned in plain Python: dicts and exact decimals.

It shares no code with the product but the lists of currencies and names, and does slowly and
plainly what the product does in columns and SQL. It judges what tests send: payment events of the
contract, and events that break one rule of it at a time.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, NamedTuple

from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.decoding import Message

_REQUIRED = (
    "transaction_id",
    "event_time",
    "amount",
    "currency",
    "payment_method",
    "payment_status",
)
_METHODS = frozenset(
    [
        "credit_card",
        "debit_card",
        "bank_transfer",
        "digital_wallet",
        "cryptocurrency",
        "cash_equivalent",
    ]
)
_STATUSES = frozenset(["completed", "failed", "pending", "cancelled", "refunded"])
_MOST_DIGITS = 15
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WINDOW = timedelta(minutes=5)


class Identity(NamedTuple):
    """What an event is stored once under."""

    event_time: datetime
    transaction_id: str
    payment_status: str


class Group(NamedTuple):
    """One row of five-minute figures."""

    window_start: datetime
    payment_method: str
    currency: str
    payment_status: str


class Position(NamedTuple):
    """Where an event stood."""

    partition_id: str
    sequence_number: int
    event_index: int


class Payment(NamedTuple):
    """What is compared of a stored payment."""

    amount: Decimal
    currency: str
    payment_method: str
    customer_id: str | None = None
    merchant_id: str | None = None
    counterparty_id: str | None = None
    original_transaction_id: str | None = None
    metadata: Any = None


class Sums(NamedTuple):
    """Streamed figures of one group."""

    count: int
    sum: Decimal
    min: Decimal
    max: Decimal


class Figures(NamedTuple):
    """Exact figures of one group of a closed window; ``average`` is exact, too."""

    sums: Sums
    average: Fraction
    p50: Decimal
    p95: Decimal
    p99: Decimal
    distinct_customers: int
    distinct_merchants: int


@dataclass(frozen=True)
class Expected:
    """Everything that has to be stored."""

    payments: Mapping[Identity, Payment]
    rejected: Mapping[Position, str]

    @property
    def reasons(self) -> Counter[str]:
        """How many events are refused for each reason."""
        return Counter(self.rejected.values())

    @property
    def streamed(self) -> Mapping[Group, Sums]:
        """The counters, folded or not."""
        return {group: _sums(payments) for group, payments in self._groups().items()}

    @property
    def final(self) -> Mapping[Group, Figures]:
        """The figures of all windows, were they closed now."""
        return {group: _figures(payments) for group, payments in self._groups().items()}

    def _groups(self) -> Mapping[Group, list[Payment]]:
        groups: dict[Group, list[Payment]] = defaultdict(list)
        for identity, payment in self.payments.items():
            start = identity.event_time - (identity.event_time - _EPOCH) % _WINDOW
            group = Group(start, payment.payment_method, payment.currency, identity.payment_status)
            groups[group].append(payment)
        return groups


class _Refused(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def expected_of(
    messages: Iterable[Message], now: datetime, retention: timedelta = timedelta(days=30)
) -> Expected:
    """Return what is stored and refused once all messages have been processed in this order."""
    payments: dict[Identity, Payment] = {}
    rejected: dict[Position, str] = {}
    for message in messages:
        for index, event in enumerate(_events(message.body)):
            position = Position(message.origin.partition_id, message.origin.sequence_number, index)
            try:
                identity, payment = _judge(event, now - retention, now + timedelta(days=1))
            except _Refused as refused:
                rejected[position] = refused.reason
                continue
            if payments.setdefault(identity, payment) != payment:
                rejected[position] = "conflicting_duplicate"
    return Expected(payments, rejected)


def _events(body: bytes) -> Iterator[Any]:
    """Yield the values of a body; bytes for one that is no JSON."""
    try:
        value = json.loads(body, parse_float=_Number, parse_int=_Number)
    except ValueError:
        yield body
        return
    yield from value if isinstance(value, list) else [value]


class _Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


def _judge(event: Any, earliest: datetime, latest: datetime) -> tuple[Identity, Payment]:
    if isinstance(event, bytes):
        raise _Refused("not_json")
    if not isinstance(event, dict):
        raise _Refused("not_an_object")
    if any(name not in event for name in _REQUIRED):
        raise _Refused("missing_field")
    for name, vocabulary in (
        ("currency", CURRENCIES.keys()),
        ("payment_method", _METHODS),
        ("payment_status", _STATUSES),
    ):
        if event[name] not in vocabulary:
            reason = f"unknown_{name}"
            raise _Refused(reason)
    amount = _amount(event["amount"], event["currency"])
    event_time = _event_time(event["event_time"])
    if not earliest <= event_time <= latest:
        raise _Refused("outside_horizon")
    identity = Identity(event_time, event["transaction_id"], event["payment_status"])
    return identity, Payment(
        amount,
        event["currency"],
        event["payment_method"],
        _id_of(event.get("customer")),
        _id_of(event.get("merchant")),
        _id_of(event.get("counterparty")),
        event.get("original_transaction_id") or None,
        _exact(event.get("metadata")),
    )


def _amount(text: str, currency: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise _Refused("invalid_amount") from error
    if amount < 0:
        raise _Refused("negative_amount")
    _, digits, exponent = amount.normalize().as_tuple()
    if not isinstance(exponent, int):
        raise _Refused("invalid_amount")
    if -exponent > CURRENCIES[currency].minor_unit:
        raise _Refused("too_many_decimals")
    if max(len(digits), len(digits) + exponent) > _MOST_DIGITS:
        raise _Refused("too_many_digits")
    return amount


def _event_time(text: str) -> datetime:
    """Return the instant, digits beyond the microsecond cut off."""
    whole, point, rest = text.partition(".")
    if point:
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        text = f"{whole}.{digits[:6]:0<6}{rest[len(digits) :]}"
    try:
        instant = datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise _Refused("invalid_event_time") from error
    if instant.tzinfo is None:
        raise _Refused("invalid_event_time")
    return instant.astimezone(UTC)


def _id_of(party: Any) -> str | None:
    return (party or {}).get("id") or None


def _exact(value: Any) -> Any:
    """Return metadata with numbers as decimals, as jsonb has them."""
    match value:
        case _Number():
            return Decimal(value)
        case dict():
            return {name: _exact(item) for name, item in value.items()}
        case list():
            return [_exact(item) for item in value]
    return value


def _sums(payments: list[Payment]) -> Sums:
    amounts = [payment.amount for payment in payments]
    return Sums(len(amounts), sum(amounts, Decimal(0)), min(amounts), max(amounts))


def _figures(payments: list[Payment]) -> Figures:
    amounts = sorted(payment.amount for payment in payments)
    sums = _sums(payments)
    return Figures(
        sums,
        Fraction(sums.sum) / sums.count,
        *(_nearest_rank(amounts, percent) for percent in (50, 95, 99)),
        len({payment.customer_id for payment in payments} - {None}),
        len({payment.merchant_id for payment in payments} - {None}),
    )


def _nearest_rank(ascending: list[Decimal], percent: int) -> Decimal:
    """Return the smallest amount that at least so many percent of all amounts do not exceed."""
    return ascending[-(-percent * len(ascending) // 100) - 1]
