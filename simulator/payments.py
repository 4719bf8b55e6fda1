"""Valid payments: ordinary life cycles, a few notable patterns, some blemishes."""

from datetime import timedelta
from itertools import count, islice
from typing import Final

from shared_code.domain.windows import WINDOW_LENGTH
from simulator.blemishes import Blemishes
from simulator.composing import Composer
from simulator.notable_patterns import notable_payments
from simulator.parameters import Parameters
from simulator.population import build_population
from simulator.streams import random_stream
from simulator.wire import Payment

# Methods whose payments are confirmed by somebody else, later.
_SLOW_METHODS: Final = frozenset({"bank_transfer", "cryptocurrency"})


def generate_payments(parameters: Parameters) -> list[Payment]:
    """Return exactly ``parameters.payments`` distinct valid payment events, in no useful order."""
    population = build_population(parameters)
    ordinary = Composer(parameters, population, random_stream(parameters.seed, "payments"))
    payments = list(islice(notable_payments(ordinary), parameters.payments // 4))
    blemishes = Blemishes()
    for number in count():
        if len(payments) >= parameters.payments:
            break
        start = parameters.start + number % parameters.windows * WINDOW_LENGTH
        first = blemishes.put_on(ordinary.compose(ordinary.instant(start, WINDOW_LENGTH)))
        payments += _life_cycle(first, ordinary)
    return payments[: parameters.payments]


def _life_cycle(first: Payment, composer: Composer) -> list[Payment]:
    """Return the payment in all statuses that it reaches before the end."""
    random = composer.random
    slow = first.event.payment_method in _SLOW_METHODS
    draw = random.random()
    if draw < (0.55 if slow else 0.08):
        pending = composer.later(first, first.event_time, "pending")
        outcome = random.choices(("completed", "failed", "cancelled"), weights=(85, 10, 5))[0]
        delay = timedelta(seconds=random.uniform(30, 900) if slow else random.uniform(2, 120))
        statuses = [pending, composer.later(pending, pending.event_time + delay, outcome)]
    elif draw < 0.92:
        statuses = [first]
    else:
        statuses = [
            composer.later(first, first.event_time, "failed" if draw < 0.98 else "cancelled")
        ]
    last = statuses[-1]
    if last.event.payment_status == "completed" and random.random() < 0.03:
        delay = timedelta(seconds=random.uniform(60, 1200))
        statuses.append(composer.refund(last, last.event_time + delay))
    return [status for status in statuses if status.event_time < composer.parameters.end]
