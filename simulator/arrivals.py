"""In which order payments arrive, and what else arrives with them.

Most come in the order of their event time. Some come windows late, some twice, some a second time
with another amount, and bad ones come in between.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from msgspec import structs

from shared_code.domain.vocabularies import RejectReason
from shared_code.domain.windows import WINDOW_LENGTH
from simulator.defects import spoil_payment
from simulator.parameters import Parameters
from simulator.population import letters_of
from simulator.streams import random_stream
from simulator.wire import Label, Payment, to_json

BUCKETS: Final = 64
# Longer than a message waits for its fill, so that a late payment has neighbours of other windows
# and a copy meets another message than its original.
LINGER: Final = WINDOW_LENGTH
_LATE: Final = (2.5 * WINDOW_LENGTH, 4 * WINDOW_LENGTH)
_COPY: Final = (LINGER, 2 * LINGER)
_CONFLICT: Final = (timedelta(milliseconds=1), timedelta(minutes=2))


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event on its way into a message.

    Attributes:
        at: when it arrives, in simulated time.
        partition_key: of the message that is to carry it.
        body: its JSON text, or what stands in for it.
        payment: what it says, if it is to be accepted.
        reason: why it is to be refused, else None.
        alone: it must not share its message.
        times: how often it stands in its message.
        late: windows behind its neighbours on purpose.
    """

    at: datetime
    partition_key: str
    body: bytes
    payment: Payment | None = None
    reason: RejectReason | None = None
    alone: bool = False
    times: int = 1
    late: bool = False


def partition_key(customer_id: str) -> str:
    """Return the key bucket of a customer: ``"0"`` to ``"63"``, the same in every process."""
    digest = hashlib.blake2b(customer_id.encode(), digest_size=8).digest()
    return str(int.from_bytes(digest) % BUCKETS)


def arrange(payments: list[Payment], parameters: Parameters) -> list[Arrival]:
    """Return all events in order of arrival.

    A copy or a conflict follows its original, with the same partition key.
    """
    arrivals = _arrivals(payments, parameters)
    followers = [
        *_conflicts(arrivals, payments, parameters),
        *_copies_in_other_messages(arrivals, parameters),
        *_bad_events(arrivals, payments, parameters),
    ]
    _copy_in_place(arrivals, parameters)
    # The sort is stable: equals stay in the order in which they were generated.
    return sorted([*arrivals, *followers], key=lambda arrival: arrival.at)


def _between(span: tuple[timedelta, timedelta], random: Random) -> timedelta:
    least, most = span
    return least + random.random() * (most - least)


def _arrivals(payments: list[Payment], parameters: Parameters) -> list[Arrival]:
    random = random_stream(parameters.seed, "arrivals")
    old = [
        at for at, payment in enumerate(payments) if payment.event_time < parameters.end - _LATE[0]
    ]
    late = set(random.sample(old, min(len(old), parameters.count(parameters.late_share))))
    arrivals = []
    for at, payment in enumerate(payments):
        delay = timedelta(seconds=min(random.expovariate(2.5), 3))
        if at in late:
            latest = parameters.end - payment.event_time
            delay = min(_between(_LATE, random), latest)
        arrivals.append(
            Arrival(
                at=payment.event_time + delay,
                partition_key=partition_key(payment.customer_id),
                body=to_json(payment.event),
                payment=payment,
                late=at in late,
            )
        )
    return arrivals


def duplicate_thirds(parameters: Parameters) -> tuple[int, int, int]:
    """Return how many copies stand in the same message, in others, and in whole repeated ones."""
    copies = parameters.count(parameters.duplicate_share)
    same = copies // 3 if parameters.pack > 1 else 0
    repeated = copies // 3
    return same, copies - same - repeated, repeated


def _copy_in_place(arrivals: list[Arrival], parameters: Parameters) -> None:
    """Make some events stand twice in their message."""
    random = random_stream(parameters.seed, "copies in the same message")
    same, _, _ = duplicate_thirds(parameters)
    for at in random.sample(range(len(arrivals)), same):
        arrivals[at] = replace(arrivals[at], times=2)


def _copies_in_other_messages(arrivals: list[Arrival], parameters: Parameters) -> list[Arrival]:
    random = random_stream(parameters.seed, "copies in other messages")
    _, other, _ = duplicate_thirds(parameters)
    return [
        replace(original, at=original.at + _between(_COPY, random), late=False)
        for original in random.sample(arrivals, other)
    ]


def _conflicts(
    arrivals: list[Arrival], payments: list[Payment], parameters: Parameters
) -> list[Arrival]:
    """Return events of an earlier one's identity with a larger amount, a little later."""
    random = random_stream(parameters.seed, "conflicts")
    conflicts = []
    for at in random.sample(range(len(payments)), parameters.count(parameters.conflict_share)):
        payment, original = payments[at], arrivals[at]
        unit = Decimal(1).scaleb(int(payment.amount.as_tuple().exponent))
        amount = payment.amount + unit * random.randint(1, 5_000)
        label = Label(RejectReason.conflicting_duplicate.value)
        event = structs.replace(payment.event, amount=f"{amount:f}", simulation=label)
        conflicts.append(
            Arrival(
                at=original.at + _between(_CONFLICT, random),
                partition_key=original.partition_key,
                body=to_json(event),
                reason=RejectReason.conflicting_duplicate,
            )
        )
    return conflicts


def _bad_events(
    arrivals: list[Arrival], payments: list[Payment], parameters: Parameters
) -> list[Arrival]:
    """Return events that break the contract, each beside the good payment it is modelled on."""
    random = random_stream(parameters.seed, "bad events")
    bad_events = []
    for turn in range(parameters.count(parameters.bad_share)):
        at = random.randrange(len(payments))
        model, neighbour = payments[at], arrivals[at]
        own_id = f"pay_{letters_of(model.event.transaction_id, 10)}_{turn:08d}"
        defect, body = spoil_payment(model, own_id, turn, parameters.span)
        bad_events.append(
            Arrival(
                at=neighbour.at,
                partition_key=neighbour.partition_key,
                body=body,
                reason=defect.reason,
                alone=defect.alone,
            )
        )
    return bad_events
