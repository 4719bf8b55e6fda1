"""Makes occurrences of violations one by one, and asks the shipped rules what they find in each."""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

import msgspec

from shared_code.domain.decoding import Message, Origin, decode_batch
from shared_code.domain.horizon import horizon_at
from shared_code.domain.pseudonyms import Pseudonymiser
from shared_code.rules.columns import Columns
from shared_code.rules.compiler import CompiledRules, compile_document
from shared_code.rules.dry_run import dry_run
from shared_code.rules.outcomes import INDETERMINATE
from simulator.configuration.population_settings import Population as SizeSettings
from simulator.configuration.structure import Configuration
from simulator.configuration.violation_settings import Violation, Violations
from simulator.generation.population import Population
from simulator.generation.scene import Scene
from simulator.violations.incident import Incident
from simulator.violations.kind import Kind
from simulator.wire import Label, Payment

AT: Final = datetime.fromisoformat("2026-01-20T09:41:07.250+00:00")
REMAINING: Final = timedelta(days=2)
CONFIGURATION: Final = Configuration()
_ORDINARY_IDS: Final = {
    "customer.id": re.compile(r"customer_\d{5}"),
    "merchant.id": re.compile(r"merchant_\d{4}"),
    "counterparty.id": re.compile(r"account_[a-p]{12}"),
    "card.fingerprint": re.compile(r"card_[a-p]{20}"),
}
_RULES_FILE: Final = Path(__file__).parents[1] / "rules" / "metric_derivation_rules.json"
# Different parts of the day, and what remains of the simulation.
_BEGINNINGS: Final = (
    (AT, timedelta(hours=26)),
    (AT + timedelta(hours=5), timedelta(hours=1)),
    (AT + timedelta(hours=13), timedelta(hours=1)),
    (AT + timedelta(hours=19), timedelta(hours=1)),
)


class Trial(NamedTuple):
    """An occurrence, and which rules found something about its subject or its payments.

    ``alerts`` are of any rule but those about whole windows, ``matches`` of transaction rules.
    """

    incident: Incident
    alerts: frozenset[str]
    matches: frozenset[str]


@cache
def population() -> Population:
    return Population(CONFIGURATION)


@cache
def shipped_rules() -> CompiledRules:
    return compile_document(_RULES_FILE.read_bytes())


def kind_named(name: str, kinds: Sequence[Kind]) -> Kind:
    return next(kind for kind in kinds if kind.name == name)


def occurrence(
    kind: Kind,
    seed: int = 0,
    *,
    subtlety: float = 0.0,
    at: datetime = AT,
    remaining: timedelta = REMAINING,
    people: Population | None = None,
    settings: Violation | None = None,
) -> Incident:
    """Return an occurrence that is the same for the same arguments."""
    people = people or population()
    scene = Scene(
        configuration=people.configuration,
        population=people,
        random=Random(f"{kind.name}/{seed}"),
        at=at,
        end=at + remaining,
        subtlety=subtlety,
        label=Label(kind.name, f"incident{seed}"),
        run_key=1,
        turn=seed,
    )
    return kind.inject(scene, settings or getattr(Violations(), kind.name, Violation()))


def trials(
    kinds: Sequence[Kind], *, subtlety: float = 0.0, number: int = 100
) -> Mapping[str, Sequence[Trial]]:
    """Return occurrences of each kind and what the shipped rules find in them.

    They are judged together, which takes a fraction of the time, but have nobody in common.
    """
    made: list[tuple[str, Incident]] = []
    for kind in kinds:
        for seed in range(number):
            at, remaining = _BEGINNINGS[seed % len(_BEGINNINGS)]
            incident = occurrence(kind, seed, subtlety=subtlety, at=at, remaining=remaining)
            made.append((kind.name, _apart(incident, f"_{len(made)}")))
    payments = [payment for _, incident in made for payment in incident.payments]
    alerts, matches = _judged(payments)
    tried = defaultdict(list)
    for name, incident in made:
        own = {("transaction_id", each.event.transaction_id) for each in incident.payments}
        about = {pair for each in incident.payments for pair in _parties(each)} | own
        found = frozenset(rule for pair in about for rule in alerts.get(pair, ()))
        matched = frozenset(rule for pair in own for rule in matches.get(pair[1], ()))
        tried[name].append(Trial(incident, found, matched))
    return tried


def columns_of(payments: Sequence[Payment]) -> Columns:
    """Return payments as the pipeline reads them; all have to be accepted."""
    body = msgspec.json.encode([payment.event for payment in payments])
    batch = decode_batch(
        [Message(Origin("test", "payments", "0", 0), body)],
        Pseudonymiser(b"key of the tests"),
        horizon_at(AT + timedelta(days=7), timedelta(days=30)),
    )
    assert not batch.rejected
    accepted = [placed.accepted for placed in batch.payments]

    def values(column: str) -> Sequence[Any]:
        if column == "quality_flags":
            return [item.quality_flags for item in accepted]
        return [getattr(item.payment, column) for item in accepted]

    return Columns(len(accepted), values)


type _Rules = Mapping[Any, Collection[str]]


def _judged(payments: Sequence[Payment]) -> tuple[_Rules, _Rules]:
    """Return rules that raise an alert, by field and value, and that match, by transaction id."""
    rules = shipped_rules()
    run = dry_run(rules, columns_of(payments))
    alerts: dict[Any, set[str]] = defaultdict(set)
    for judgement in run.judgements:
        for finding in judgement.findings:
            rule = rules.document.rules[finding.rule]
            if finding.exceeded and rule.scope != "window":
                for pair in finding.dimensions.items():
                    alerts[pair].add(rule.id)
    matches: dict[Any, set[str]] = defaultdict(set)
    ids = run.columns.values("transaction_id")
    for match in run.matches:
        if match.outcome != INDETERMINATE:
            for row in match.rows:
                matches[ids[row]].add(rules.document.rules[match.rule].id)
    return alerts, matches


def _parties(payment: Payment) -> set[tuple[str, str]]:
    event = payment.event
    parties = {
        "customer.id": event.customer and event.customer.id,
        "merchant.id": event.merchant and event.merchant.id,
        "counterparty.id": event.counterparty and event.counterparty.id,
        "card.fingerprint": event.card and event.card.fingerprint,
    }
    return {(field, value) for field, value in parties.items() if value}


def _apart(incident: Incident, ending: str) -> Incident:
    """Return the same incident among people of its own."""
    return incident._replace(
        payments=tuple(_renamed(payment, ending) for payment in incident.payments),
        subject={field: f"{value}{ending}" for field, value in incident.subject.items()},
    )


def _renamed(payment: Payment, ending: str) -> Payment:
    replace, event = msgspec.structs.replace, payment.event
    customer, merchant = event.customer, event.merchant
    assert customer
    assert merchant
    card, other = event.card, event.counterparty
    renamed = replace(
        event,
        customer=replace(customer, id=f"{customer.id}{ending}"),
        merchant=replace(merchant, id=f"{merchant.id}{ending}"),
        card=card and replace(card, fingerprint=f"{card.fingerprint}{ending}"),
        counterparty=other and replace(other, id=f"{other.id}{ending}"),
    )
    return payment._replace(event=renamed)


def assert_sound(
    incident: Incident, *, at: datetime = AT, remaining: timedelta = REMAINING
) -> None:
    """An occurrence begins with its scene, ends before the simulation, and is all valid."""
    payments = incident.payments
    times = [payment.event_time for payment in payments]
    assert times[0] == at
    assert max(times) < at + remaining
    assert len({payment.event.transaction_id for payment in payments}) == len(payments)
    assert all(payment.event.simulation for payment in payments)
    assert all(payment.amount > 0 for payment in payments)
    assert columns_of(payments).size == len(payments)
    parties = {pair for payment in payments for pair in _parties(payment)}
    assert set(incident.subject.items()) <= parties
    for field, value in parties:
        assert _ORDINARY_IDS[field].fullmatch(value)


def distinct_amounts(kind: Kind) -> float:
    """Return which part of the amounts of fifty occurrences are different ones."""
    amounts = [
        (payment.amount, payment.event.currency)
        for seed in range(50)
        for payment in occurrence(kind, seed).payments
    ]
    return len(set(amounts)) / len(amounts)


def mean_size(kind: Kind, subtlety: float, number: int = 300) -> float:
    """Return the mean number of events of some hundred occurrences."""
    made = (occurrence(kind, seed, subtlety=subtlety) for seed in range(number))
    return sum(len(each.payments) + len(each.refused) for each in made) / number


def small_population(**sizes: int) -> Population:
    """Return few people, so that hardly any merchant is where one looks for it."""
    people = SizeSettings(**sizes)
    return Population(msgspec.structs.replace(CONFIGURATION, population=people))
