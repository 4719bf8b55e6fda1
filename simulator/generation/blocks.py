"""Generates a block of payments: ordinary ones, violations, what arrives late, twice or altered.

A block depends on nothing but the world and its number, so that blocks are generated in any order
by any number of processes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from simulator.generation.account import Account
from simulator.generation.ahead import Ahead, ordinary_ahead, single_ahead
from simulator.generation.encoding import write_events
from simulator.generation.events import REASON_NUMBERS, Events, Row
from simulator.generation.followers import Followers, Originals, due
from simulator.generation.injection import Injected, injections
from simulator.generation.ordinary import draw_payments, live
from simulator.generation.partition_keys import key_bucket
from simulator.generation.population import Integers, Keys
from simulator.generation.span import MICROSECONDS, microseconds, seconds_of
from simulator.generation.streams import column_stream
from simulator.generation.timeline import BlockPlan
from simulator.generation.world import World
from simulator.ledger import InjectedViolation
from simulator.violations.money_laundering import HIGH_RISK_COUNTRIES
from simulator.wire import to_json

_LONGEST_DELAY: Final = 7


@dataclass(frozen=True, slots=True)
class Block:
    """What a block consists of: its events in order of arrival, its account, its violations.

    ``ahead`` holds by its JSON text what happens after the block, if the simulation keeps pace with
    a clock: when it is stopped, that has not happened yet.
    """

    plan: BlockPlan
    events: Events
    account: Account
    injected: tuple[InjectedViolation, ...]
    ahead: Mapping[bytes, Ahead] = field(default_factory=dict)


def generate_block(world: World, plan: BlockPlan) -> Block:
    """Return the block; the same for the same world and plan, in whatever process."""
    columns = column_stream(world.configuration.seed, f"block/{plan.number}")
    account = Account()
    made = injections(world, plan)
    singles = [payment for each in made for payment in each.incident.payments]
    payments = draw_payments(world, plan, plan.payments - len(singles), columns)
    events = live(world, payments, plan.payments - len(singles), columns)
    written = write_events(world, payments, events, columns)
    account.enter_columns(world.population, payments, events, written.times)
    account.enter(singles, known_countries(world))
    arrival = written.times + _delays(world, len(written.times), columns)
    late = _late(world, plan, written.times, columns)
    arrival[late] = _late_arrivals(world, written.times[late], columns)
    account.late += len(late)
    keys = world.population.keys_of(payments.customer[events.payment])
    single = list(_single_events(world, made, columns))
    follow = Followers(world, plan, Originals(written.bodies, arrival, keys), columns)
    conflicts = list(follow.conflicts())
    rows = [*single, *follow.copies(), *conflicts]
    names = ("", *sorted({row.kind for row in rows} - {""}))
    numbers = {name: number for number, name in enumerate(names)}
    bulk = len(written.bodies)
    events_in_all = Events(
        arrival=np.concatenate([arrival, np.array([row.arrival for row in rows], dtype=np.int64)]),
        key=np.concatenate([keys, np.array([row.key for row in rows], dtype=np.uint8)]),
        alone=np.concatenate([np.zeros(bulk, bool), np.array([row.alone for row in rows], bool)]),
        reason=_padded(bulk, [row.reason for row in rows]),
        kind=_padded(bulk, [numbers[row.kind] for row in rows]),
        bodies=written.bodies + [row.body for row in rows],
        names=names,
    )
    ahead: Mapping[bytes, Ahead] = {}
    if world.span.speed_up is not None:
        ahead = {
            **ordinary_ahead(plan, written, events.minor),
            **single_ahead(plan, world.span.end, singles),
            **{row.body: Ahead(row.arrival, None) for row in conflicts if row.arrival >= plan.end},
        }
    injected = tuple(each.entry for each in made if each.entry)
    return Block(plan, events_in_all, account, injected, ahead)


def known_countries(world: World) -> frozenset[str]:
    """Return the codes of all countries that valid payments may name."""
    return frozenset([*(each.code for each in world.population.countries), *HIGH_RISK_COUNTRIES])


def _padded(zeros: int, values: list[int]) -> Keys:
    return np.concatenate([np.zeros(zeros, dtype=np.uint8), np.array(values, dtype=np.uint8)])


def _delays(world: World, size: int, columns: np.random.Generator) -> Integers:
    """Return the time from each event to its arrival."""
    mean = seconds_of(world.configuration.arrival.delay) * MICROSECONDS
    delays = np.minimum(columns.exponential(1.0, size), _LONGEST_DELAY) * mean
    drawn: Integers = delays.astype(np.int64)
    return drawn


def _late(world: World, plan: BlockPlan, times: Integers, columns: np.random.Generator) -> Integers:
    """Return positions of events that are to arrive late, of those that can before the end."""
    wait = round(seconds_of(world.configuration.arrival.late_by[0]) * MICROSECONDS)
    timeline = world.timeline
    able_in_all = timeline.payments_before(world.span.end - wait)
    if able_in_all < 1:
        return np.zeros(0, dtype=np.int64)
    # All of the share falls to those that can be late.
    share = min(world.configuration.arrival.late_share * timeline.payments / able_in_all, 1.0)
    begin, end = (min(edge, able_in_all) for edge in (plan.first, plan.first + plan.payments))
    # What comes after its block may be taken back: it is never counted as late.
    able = np.flatnonzero((times + wait < world.span.end) & (times < plan.end))
    number = min(due(share, begin, end), len(able))
    chosen: Integers = columns.choice(able, number, replace=False)
    return chosen


def _late_arrivals(world: World, times: Integers, columns: np.random.Generator) -> Integers:
    least, most = (seconds_of(each) * MICROSECONDS for each in world.configuration.arrival.late_by)
    latest = np.minimum(times + most, world.span.end)
    arrivals = times + least + columns.random(len(times)) * (latest - times - least)
    drawn: Integers = arrivals.astype(np.int64)
    return drawn


def _single_events(
    world: World, made: list[Injected], columns: np.random.Generator
) -> Iterator[Row]:
    """Yield the events of violations and of what resembles them."""
    end = world.span.end
    for each in made:
        incident, begin = each.incident, each.at
        delays = _delays(world, len(incident.payments) + len(incident.refused), columns).tolist()
        for payment, delay in zip(incident.payments, delays, strict=False):
            happened = microseconds(payment.event_time)
            # A payment that claims to be of the future arrives all the same.
            at = happened if happened < end else begin
            key = key_bucket(payment.customer_id)
            yield Row(at + delay, key, to_json(payment.event), kind=each.kind)
        for refusal, delay in zip(incident.refused, delays[len(incident.payments) :], strict=True):
            yield Row(
                microseconds(refusal.at) + delay,
                key_bucket(refusal.customer_id),
                refusal.body,
                refusal.alone,
                REASON_NUMBERS[refusal.reason.value],
                each.kind,
            )
