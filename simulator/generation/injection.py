"""Decides how many violations begin in a block, and has them made."""

import hashlib
import re
from datetime import timedelta
from typing import Final, NamedTuple

from simulator.configuration.traffic_settings import Outcomes
from simulator.configuration.violation_settings import Violation
from simulator.generation.scene import Scene
from simulator.generation.span import moment, seconds_of
from simulator.generation.streams import letters_of, random_stream
from simulator.generation.timeline import BlockPlan
from simulator.generation.wording import TRANSFERS
from simulator.generation.world import World
from simulator.ledger import EventKey, InjectedViolation, RefusedEvent
from simulator.violations.catalogue import KINDS, LOOKALIKES
from simulator.violations.incident import Incident
from simulator.violations.kind import Kind
from simulator.wire import Label

_OUTCOMES: Final = Outcomes.__struct_fields__
_HALF_A_PAIR: Final = re.compile(rb"\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f])")


class Injected(NamedTuple):
    """One occurrence: where it begins, what it consists of, and what the ledger says of it.

    ``kind`` is empty and ``entry`` None for what only resembles a violation.
    """

    kind: str
    at: int
    incident: Incident
    entry: InjectedViolation | None


class _Wanted(NamedTuple):
    """A kind that occurs; ``rate`` is the number of occurrences for each payment."""

    kind: Kind
    settings: Violation
    subtlety: float
    rate: float


def injections(world: World, plan: BlockPlan) -> list[Injected]:
    """Return what begins in a block, as far as its payments have room for it.

    Kinds whose occurrences have few payments go first.
    """
    room = plan.payments
    made = []
    for wanted in sorted(_wanted(world), key=lambda each: each.kind.events(each.subtlety)):
        for turn in _turns(world, plan, wanted):
            injected = _make(world, plan, wanted, turn)
            if len(injected.incident.payments) <= room:
                room -= len(injected.incident.payments)
                made.append(injected)
    return made


def _wanted(world: World) -> list[_Wanted]:
    violations = world.configuration.violations
    wanted = []
    for kind in KINDS:
        settings: Violation = getattr(violations, kind.name)
        if settings.share:
            own = settings.subtlety
            subtlety = violations.subtlety if own is None else own
            rate = _rate(world, kind, settings.share, subtlety)
            wanted.append(_Wanted(kind, settings, subtlety, rate))
    if violations.lookalike_share:
        share = violations.lookalike_share / len(LOOKALIKES)
        wanted += [
            _Wanted(kind, Violation(share=share), 0.0, _rate(world, kind, share, 0))
            for kind in LOOKALIKES
        ]
    return wanted


def _rate(world: World, kind: Kind, share: float, subtlety: float) -> float:
    """Return occurrences for each payment: a whole number over all of them, and at least one."""
    payments = world.timeline.payments
    return max(1, round(payments * share / kind.events(subtlety))) / payments


def _turns(world: World, plan: BlockPlan, wanted: _Wanted) -> range:
    """Return which occurrences, numbered over the whole simulation, begin in a block."""
    phase = random_stream(world.configuration.seed, f"phase/{wanted.kind.name}").random()
    return range(
        _begun(plan.first, wanted.rate, phase),
        _begun(plan.first + plan.payments, wanted.rate, phase),
    )


def _begun(payments: int, rate: float, phase: float) -> int:
    # A billionth makes up for a product that ought to be whole and is a little less.
    return int(payments * rate + phase + 1e-9)


def _make(world: World, plan: BlockPlan, wanted: _Wanted, turn: int) -> Injected:
    name = wanted.kind.name
    random = random_stream(world.configuration.seed, f"{name}/{plan.number}/{turn}")
    at = plan.start + int(random.random() * (plan.end - plan.start))
    is_violation = wanted.kind in KINDS
    incident_id = letters_of(f"{world.run_key}/{name}/{turn}", 12)
    scene = Scene(
        configuration=world.configuration,
        population=world.population,
        random=random,
        at=moment(at),
        end=moment(world.span.end),
        subtlety=wanted.subtlety,
        label=Label(name, incident_id) if is_violation else None,
        run_key=world.run_key,
        turn=turn,
    )
    incident = wanted.kind.inject(scene, wanted.settings)
    if incident.subject or not is_violation:
        incident = _pending_first(scene, incident)
    if not is_violation:
        return Injected("", at, incident, None)
    return Injected(name, at, incident, _entry(name, incident_id, incident))


def _pending_first(scene: Scene, incident: Incident) -> Incident:
    """Let payments be pending first as often as ordinary ones are, as far as there is time.

    Ten transfers of which none was ever pending would be known by that alone.
    """
    life = scene.configuration.life_cycle
    pending, seen = [], set()
    for payment in incident.payments:
        event = payment.event
        slow = event.payment_method in TRANSFERS
        share = life.slow_pending_share if slow else life.pending_share
        is_first = event.transaction_id not in seen
        seen.add(event.transaction_id)
        if not is_first or event.payment_status not in _OUTCOMES or scene.random.random() >= share:
            continue
        least, most = life.slow_pending_delay if slow else life.pending_delay
        delay = scene.between(seconds_of(least), seconds_of(most))
        before = scene.later(payment, payment.event_time - timedelta(seconds=delay), "pending")
        if before.event_time >= scene.at:
            pending.append(before)
    return incident._replace(payments=(*incident.payments, *pending))


def _entry(name: str, incident_id: str, incident: Incident) -> InjectedViolation:
    payments = sorted(incident.payments, key=lambda payment: payment.event_time)
    times = [payment.event_time for payment in payments] + [each.at for each in incident.refused]
    return InjectedViolation(
        violation=name,
        incident=incident_id,
        subject=dict(incident.subject),
        first=min(times),
        last=max(times),
        events=tuple(
            EventKey(each.event.transaction_id, each.event.payment_status, each.event_time)
            for each in payments
        ),
        refused=tuple(
            RefusedEvent(
                each.reason.value,
                hashlib.blake2b(_kept(each.body), digest_size=16).hexdigest(),
                each.transaction_id,
            )
            for each in incident.refused
        ),
    )


def _kept(body: bytes) -> bytes:
    """Return what the pipeline keeps of a refused event: NUL for half a surrogate pair."""
    return _HALF_A_PAIR.sub(rb"\\u0000", body)
