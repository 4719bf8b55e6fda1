import hashlib
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from simulator.errors import LedgerNotReady
from simulator.parameters import Parameters
from simulator.simulation import simulate

END = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PARAMETERS = Parameters(end=END, payments=1_500, bad_share=0.05, duplicate_share=0.05)

DIGEST_PROGRAM = """
import hashlib
from datetime import UTC, datetime
from simulator.parameters import Parameters
from simulator.simulation import simulate
end = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
digest = hashlib.sha256()
for message in simulate(Parameters(end=end, payments=1_500, bad_share=0.05, duplicate_share=0.05)):
    digest.update(repr(message).encode())
print(digest.hexdigest())
"""


def _digest(parameters: Parameters) -> str:
    digest = hashlib.sha256()
    for message in simulate(parameters):
        digest.update(repr(message).encode())
    return digest.hexdigest()


def test_equal_parameters_give_the_same_bytes_in_the_same_order() -> None:
    assert _digest(PARAMETERS) == _digest(PARAMETERS)


def test_iterating_twice_gives_the_same_messages_and_the_same_ledger() -> None:
    simulation = simulate(PARAMETERS)
    first, ledger = list(simulation), simulation.ledger
    assert list(simulation) == first
    assert simulation.ledger == ledger


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_another_process_with_another_hash_seed_gives_the_same_bytes(hash_seed: str) -> None:
    environment = {
        **os.environ,
        "PYTHONHASHSEED": hash_seed,
        "PYTHONPATH": os.pathsep.join([".", *sys.path]),
    }
    done = subprocess.run(
        [sys.executable, "-c", DIGEST_PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        timeout=60,
    )
    assert done.stdout.strip() == _digest(PARAMETERS)


def test_another_seed_gives_other_messages() -> None:
    other = Parameters(end=END, payments=1_500, bad_share=0.05, duplicate_share=0.05, seed=8)
    assert _digest(other) != _digest(PARAMETERS)


def test_asking_for_more_bad_events_leaves_the_good_payments_as_they_are() -> None:
    few, many = (
        simulate(Parameters(end=END, payments=600, pack=pack, bad_share=share))
        for pack, share in ((50, 0.0), (50, 0.3))
    )
    list(few)
    list(many)
    assert [(each.window_start, each.count) for each in few.ledger.sums] == [
        (each.window_start, each.count) for each in many.ledger.sums
    ]
    assert few.ledger.totals == many.ledger.totals


def test_the_ledger_waits_for_the_last_message() -> None:
    simulation = simulate(PARAMETERS)
    next(iter(simulation))
    with pytest.raises(LedgerNotReady, match="every message"):
        _ = simulation.ledger
