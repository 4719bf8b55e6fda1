"""Small simulations around one fixed moment, and the product's decoder as second opinion on them.

Statistics of tests are judged at a level of 0.001 with fixed seeds: what passes once passes always.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import msgspec
import numpy as np

from shared_code.domain.currencies import CURRENCY_BY_NUMBER
from shared_code.domain.decoding import Message as HubMessage
from shared_code.domain.decoding import Origin, decode_batch, split_body
from shared_code.domain.horizon import horizon_at
from shared_code.domain.normalised_payment import Identity
from shared_code.domain.pseudonyms import Pseudonymiser
from shared_code.domain.vocabularies import PaymentMethod, PaymentStatus, QualityFlag
from shared_code.domain.windows import window_start
from simulator.configuration.population_settings import Country
from simulator.configuration.structure import Configuration
from simulator.configuration.traffic_settings import Arrival, LifeCycle, TimeSpan, Volume
from simulator.configuration.violation_settings import Violations
from simulator.generation.blocks import Block, generate_block
from simulator.generation.span import span_of
from simulator.generation.world import World
from simulator.ledger import Ledger
from simulator.message import Message
from simulator.simulation import Simulation

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
"""A Tuesday, without holidays, pay days or changes of the clocks nearby."""
RETENTION = timedelta(days=60)
LEVEL = 0.001
"""Probability with which a test of the right distribution would fail, were its seed not fixed."""
KINDS = tuple(
    name for name in Violations.__struct_fields__ if hasattr(getattr(Violations(), name), "share")
)
PLAIN_ARRIVAL = Arrival(delay="0s", late_share=0, duplicate_share=0, conflict_share=0)
NO_FOLLOW_UPS = LifeCycle(pending_share=0, slow_pending_share=0, refund_share=0)
UNUSUAL_COUNTRIES = (
    Country(code="CL", currency="CLF", per_dollar=0.03, time_zone="America/Santiago"),
    Country(code="JP", currency="JPY", per_dollar=150.0, time_zone="Asia/Tokyo"),
    Country(code="KW", currency="KWD", per_dollar=0.31, time_zone="Asia/Kuwait"),
    Country(code="NP", currency="NPR", per_dollar=135.0, time_zone="Asia/Kathmandu"),
)


def configuration(
    payments: int | None = 2_000, duration: str = "30m", **parts: Any
) -> Configuration:
    """Return a configuration of so many payments; other parts as they are given."""
    return Configuration(
        **{
            "volume": Volume(payments=payments),
            "time": TimeSpan(duration=duration),
            **parts,
        }
    )


def every_violation(share: float = 0.005, **options: Any) -> Violations:
    """Return violations of every kind, and what resembles them."""
    return Violations(
        lookalike_share=0.02,
        **{name: type(getattr(Violations(), name))(share=share) for name in KINDS},
        **options,
    )


class Run(NamedTuple):
    """The messages of a whole simulation, and its ledger."""

    messages: list[Message]
    ledger: Ledger


@cache
def run(configuration: Configuration, workers: int = 1) -> Run:
    """Return what a configuration comes to at ``NOW``."""
    simulation = Simulation(configuration, now=NOW, workers=workers)
    return Run(list(simulation), simulation.ledger)


@cache
def world(configuration: Configuration) -> World:
    """Return the world of a configuration at ``NOW``."""
    return World.build(configuration, span_of(configuration, NOW))


def blocks(configuration: Configuration) -> Iterator[Block]:
    """Yield the blocks of a configuration, in order."""
    built = world(configuration)
    return (generate_block(built, plan) for plan in built.timeline.blocks())


def chi_square(
    found: Sequence[float] | np.ndarray, expected: Sequence[float] | np.ndarray
) -> float:
    """Return the probability of counts at least as far from shares or counts as expected."""
    from scipy.stats import chisquare  # type: ignore[import-untyped]  # noqa: PLC0415

    shares = np.asarray(expected, dtype=float) / np.sum(expected)
    possible = shares > 0
    counts = np.asarray(found)
    assert not counts[~possible].any()
    if possible.sum() == 1:
        return 1.0
    return float(chisquare(counts[possible], shares[possible] * counts.sum()).pvalue)


def likely(found: int, of: int, share: float) -> bool:
    """Tell whether so many of a number are nothing out of the ordinary for a share."""
    from scipy.stats import binomtest  # noqa: PLC0415

    return bool(binomtest(found, of, share).pvalue > LEVEL)


# --- what messages hold ------------------------------------------------------------------------


_ANY = msgspec.json.Decoder(float_hook=Decimal)


def events_in(message: Message) -> list[dict[str, Any]]:
    """Return the events of a message that are JSON objects; numbers are exact."""
    events = []
    for item in split_body(message.body):
        try:
            event = _ANY.decode(item)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if isinstance(event, dict):
            events.append(event)
    return events


def moment_of(event: Mapping[str, Any]) -> datetime:
    """Return the time that an event names, cut to the microsecond."""
    return datetime.fromisoformat(event["event_time"]).astimezone(UTC)


def label_of(event: Mapping[str, Any]) -> str:
    """Return what was done to an event on purpose, empty if nothing was."""
    violation: str = (event.get("simulation") or {}).get("violation", "")
    return violation


# --- the product's opinion ---------------------------------------------------------------------


type SumKey = tuple[datetime, str, str, str]


@dataclass
class Recount:
    """What the product makes of messages."""

    payments: int = 0
    duplicates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    qualities: Counter[str] = field(default_factory=Counter)
    sums: dict[SumKey, tuple[int, Decimal]] = field(default_factory=dict)
    hashes: dict[Identity, bytes] = field(default_factory=dict)
    flags: dict[Identity, int] = field(default_factory=dict)


def recount(
    messages: Iterable[Message],
    now: datetime = NOW,
    body_of: Callable[[bytes], bytes] = lambda body: body,
) -> Recount:
    """Decode messages in order, the first of an identity standing, and add up."""
    batch = decode_batch(
        [
            HubMessage(Origin("namespace", "payments", each.partition_key, at), body_of(each.body))
            for at, each in enumerate(messages)
        ],
        Pseudonymiser(b"k" * 32),
        horizon_at(now, RETENTION),
    )
    found = Recount()
    for event in batch.rejected:
        found.rejected[event.reason.value] += 1
        found.refused[event.reason.value, event.body_hash.hex()] += 1
    amounts: defaultdict[SumKey, list[Decimal]] = defaultdict(list)
    for placed in batch.payments:
        payment, content = placed.accepted.payment, placed.accepted.content_hash
        first = found.hashes.get(payment.identity)
        if first is not None:
            if first == content:
                found.duplicates += 1
            else:
                found.rejected["conflicting_duplicate"] += 1
            continue
        found.payments += 1
        found.hashes[payment.identity] = content
        found.flags[payment.identity] = placed.accepted.quality_flags
        flags = QualityFlag(placed.accepted.quality_flags)
        found.qualities.update(flag.name for flag in flags if flag.name)
        key = (
            window_start(payment.event_time),
            PaymentMethod(payment.payment_method).name,
            CURRENCY_BY_NUMBER[payment.currency].code,
            PaymentStatus(payment.payment_status).name,
        )
        amounts[key].append(payment.amount)
    found.sums = {key: (len(each), sum(each, Decimal(0))) for key, each in amounts.items()}
    return found


def sums_of(ledger: Ledger) -> dict[SumKey, tuple[int, Decimal]]:
    """Return the sums of a ledger as ``Recount`` has them."""
    return {
        (each.window_start, each.payment_method, each.currency, each.payment_status): (
            each.count,
            each.amount,
        )
        for each in ledger.sums
    }


def assert_exact(messages: Sequence[Message], ledger: Ledger) -> None:
    """Hold a ledger to what the product makes of the messages."""
    found = recount(messages)
    assert found.payments == ledger.payments
    assert found.duplicates == ledger.duplicates
    assert found.rejected == ledger.rejected
    assert found.sums == sums_of(ledger)
    assert len(messages) == ledger.messages
    assert sum(message.events for message in messages) == ledger.events
    assert ledger.events == ledger.payments + ledger.duplicates + sum(ledger.rejected.values())
