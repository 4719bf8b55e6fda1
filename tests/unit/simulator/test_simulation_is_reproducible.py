"""Equal configurations give equal bytes: again, elsewhere, and by any number of processes."""

import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from datetime import timedelta

import msgspec
import pytest
from unit.simulator.generation.simulation_samples import (
    NOW,
    configuration,
    events_in,
    every_violation,
    run,
    world,
)

from simulator.configuration.structure import Configuration
from simulator.configuration.traffic_settings import (
    Arrival,
    LifeCycle,
    Messages,
    TimeSpan,
    Volume,
    Writing,
)
from simulator.configuration.violation_settings import Structuring, Violation, Violations
from simulator.errors import LedgerNotReady
from simulator.generation.span import moment
from simulator.message import Message
from simulator.simulation import Simulation, simulate

ASKED = configuration(1_500, violations=every_violation(), arrival=Arrival(duplicate_share=0.05))
SOME = Violations(
    lookalike_share=0.001,
    structuring=Structuring(share=0.001),
    negative_amount=Violation(share=0.001),
)
SEVERAL_BLOCKS = configuration(30_000, "24h", violations=SOME)

DIGEST_PROGRAM = """
import hashlib, sys
from datetime import datetime
import msgspec
from simulator.configuration.structure import Configuration
from simulator.simulation import Simulation
asked = msgspec.json.decode(sys.argv[1], type=Configuration)
simulation = Simulation(asked, now=datetime.fromisoformat(sys.argv[2]))
digest = hashlib.sha256()
for message in simulation:
    digest.update(repr(message).encode())
digest.update(msgspec.json.encode(simulation.ledger))
print(digest.hexdigest())
"""


def _digest(messages: Iterable[Message]) -> "hashlib._Hash":
    digest = hashlib.sha256()
    for message in messages:
        digest.update(repr(message).encode())
    return digest


def _ids(messages: Iterable[Message]) -> set[str]:
    """Return the ids that payments have; what breaks the contract may have another one, or none."""
    ids = {str(event.get("transaction_id")) for each in messages for event in events_in(each)}
    return {each for each in ids if each.startswith("pay_")}


def test_iterating_twice_gives_the_same_messages_and_the_same_ledger() -> None:
    simulation = Simulation(ASKED, now=NOW)
    first, ledger = list(simulation), simulation.ledger
    assert list(simulation) == first
    assert simulation.ledger == ledger
    assert (first, ledger) == run(ASKED)


@pytest.mark.parametrize(("hash_seed", "zone"), [("0", "UTC"), ("4711", "Australia/Lord_Howe")])
def test_another_process_with_another_hash_seed_and_time_zone_gives_the_same_bytes(
    hash_seed: str, zone: str
) -> None:
    environment = {
        **os.environ,
        "PYTHONHASHSEED": hash_seed,
        "TZ": zone,
        "PYTHONPATH": os.pathsep.join([".", *sys.path]),
    }
    asked = msgspec.json.encode(ASKED).decode()
    done = subprocess.run(
        [sys.executable, "-c", DIGEST_PROGRAM, asked, NOW.isoformat()],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        timeout=60,
    )
    messages, ledger = run(ASKED)
    expected = _digest(messages)
    expected.update(msgspec.json.encode(ledger))
    assert done.stdout.strip() == expected.hexdigest()


@pytest.mark.parametrize("workers", [2, 3])
def test_any_number_of_worker_processes_gives_the_same_bytes(workers: int) -> None:
    one, several = run(SEVERAL_BLOCKS), run(SEVERAL_BLOCKS, workers)
    assert several.messages == one.messages
    assert several.ledger == one.ledger


def test_workers_give_the_same_bytes_for_a_rate_and_for_many_small_blocks() -> None:
    asked = Configuration(
        volume=Volume(rate=0.9137), time=TimeSpan(duration="37m", live=True, speed_up=30)
    )
    one, several = run(asked), run(asked, 2)
    assert one.ledger.payments > 4 * world(asked).timeline.block_size
    assert several == one


def test_workers_leave_it_to_the_simulation_when_to_end_after_an_interruption() -> None:
    messages: list[Message] = []
    for message in Simulation(SEVERAL_BLOCKS, now=NOW, workers=2):
        if not messages:
            for worker in multiprocessing.active_children():
                os.kill(worker.pid or 0, signal.SIGINT)
        messages.append(message)
    assert messages == run(SEVERAL_BLOCKS).messages


def test_what_is_left_of_a_simulation_may_be_dropped_with_workers_at_work() -> None:
    messages = iter(Simulation(configuration(9_000), now=NOW, workers=2))
    first = next(messages)
    del messages
    assert first == run(configuration(9_000)).messages[0]


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 8},
        {"description": "of the same kind"},
        {"writing": Writing(number_share=0.04)},
        {"messages": Messages(pack=49)},
        {"time": TimeSpan(duration="31m")},
    ],
    ids=lambda other: next(iter(other)),
)
def test_other_options_give_other_ids(other: dict[str, object]) -> None:
    changed = msgspec.structs.replace(ASKED, **other)
    assert not _ids(run(ASKED).messages) & _ids(run(changed).messages)


def test_another_time_of_beginning_gives_other_ids_and_times() -> None:
    later = Simulation(ASKED, now=NOW + timedelta(minutes=5))
    assert not _ids(later) & _ids(run(ASKED).messages)
    assert later.ledger.start == run(ASKED).ledger.start + timedelta(minutes=5)


def test_another_seed_gives_other_payments() -> None:
    one = run(ASKED).ledger
    other = run(msgspec.structs.replace(ASKED, seed=8)).ledger
    assert one.totals != other.totals
    assert one.payments == other.payments


@pytest.mark.parametrize(
    "more",
    [
        {"arrival": Arrival(duplicate_share=0.3, late_share=0.4, conflict_share=0.2, delay="9s")},
        {"messages": Messages(pack=3, linger="1s")},
        {"violations": Violations(negative_amount=Violation(share=0.3))},
        {"writing": Writing(number_share=1)},
    ],
    ids=lambda more: next(iter(more)),
)
def test_other_options_leave_ordinary_payments_as_they_are(more: dict[str, object]) -> None:
    plain = configuration(600, arrival=Arrival())
    one = run(plain).ledger
    other = run(msgspec.structs.replace(plain, **more)).ledger
    assert one.sums == other.sums
    assert one.totals == other.totals


def test_the_ledger_waits_for_the_last_message() -> None:
    simulation = simulate(ASKED)
    next(iter(simulation))
    with pytest.raises(LedgerNotReady, match="every message"):
        _ = simulation.ledger
    list(simulation)
    assert simulation.ledger.complete
    next(iter(simulation))
    with pytest.raises(LedgerNotReady, match="every message"):
        _ = simulation.ledger


def test_a_simulation_says_what_it_is_going_to_do_and_how_long_it_took() -> None:
    asked = configuration(
        None, volume=Volume(rate=2), life_cycle=LifeCycle(), time=TimeSpan(duration="10m")
    )
    simulation = Simulation(asked, now=NOW, workers=1)
    assert simulation.generating_seconds == 0
    assert not simulation.finished
    expected = simulation.expected_payments
    list(simulation)
    assert simulation.finished
    assert moment(simulation.span.end) == NOW == simulation.ledger.end
    assert moment(simulation.span.start) == simulation.ledger.start
    assert simulation.ledger.payments == expected
    assert 0 < simulation.generating_seconds < 30
    assert simulation.configuration == simulation.ledger.configuration
