"""What is made with a block and happens after it: a simulation that is stopped takes it back."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from shared_code.domain.currencies import CURRENCIES
from simulator.generation.encoding import Written
from simulator.generation.population import Integers
from simulator.generation.span import microseconds, moment
from simulator.generation.timeline import BlockPlan
from simulator.wire import Event, Payment, to_json


class Ahead(NamedTuple):
    """What is made with a block but happens after it; ``payment`` is None if it is no valid one."""

    time: int
    payment: Payment | None


class _Read(Event, frozen=True):
    """An event of which only the other fields are read: an amount may be a JSON number."""

    amount: Any


_EVENT: Final = msgspec.json.Decoder(_Read)


def ordinary_ahead(plan: BlockPlan, written: Written, minor: Integers) -> dict[bytes, Ahead]:
    """Return the outcomes and refunds that come after a block."""
    ahead = {}
    for at in np.flatnonzero(written.times >= plan.end).tolist():
        body, time = written.bodies[at], int(written.times[at])
        event = _EVENT.decode(body)
        amount = Decimal(int(minor[at])).scaleb(-CURRENCIES[event.currency].minor_unit)
        customer_id = (event.customer and event.customer.id) or ""
        ahead[body] = Ahead(time, Payment(event, moment(time), amount, customer_id))
    return ahead


def single_ahead(plan: BlockPlan, end: int, payments: Iterable[Payment]) -> dict[bytes, Ahead]:
    """Return the payments of violations, and of what resembles them, that come after a block.

    Args:
        plan: of the block.
        end: of the simulation, in microseconds.
        payments: that were made one by one.
    """
    timed = ((microseconds(payment.event_time), payment) for payment in payments)
    return {
        to_json(payment.event): Ahead(time, payment)
        for time, payment in timed
        # What claims to be of the future has arrived all the same.
        if plan.end <= time < end
    }
