"""The whole pipeline held at 80 % of what it can do: all is stored, and nothing piles up."""

import statistics
from collections.abc import Callable, Sequence

import pytest
from fault_report import FaultCount
from pipeline_probe import wait_for_a_window_that_lasts

from bench.load_held import WAITING, Plan, hold
from bench.load_samples import Sample
from bench.load_traffic import Bodies
from bench.throwaway import ROOT
from local_azure.config import load_config

SHORT = Plan(warm_up_seconds=2, capacity_seconds=3, held_seconds=15)
FULL = Plan(warm_up_seconds=10, capacity_seconds=20, held_seconds=100)
PER_MESSAGE_BYTES = len(Bodies(1).next())
_START_SECONDS = 25
# Of the bytes that came in meanwhile: who kept what is processed would keep more than came.
_MOST_KEPT = 0.5
_MOST_WAITING_SECONDS = 5.0


def _middle(samples: Sequence[Sample], name: str) -> float:
    return statistics.median(getattr(sample, name) for sample in samples)


@pytest.mark.alone
def test_load_held_at_most_of_the_capacity_piles_nothing_up(
    record: Callable[[FaultCount], None], *, full: bool
) -> None:
    plan = FULL if full else SHORT
    # Closing a window takes memory of its own for a while.
    wait_for_a_window_that_lasts(_START_SECONDS + sum(plan[:3]))
    held = hold(plan, say=lambda _: None)
    record(
        FaultCount(
            fault=f"held at {plan.share:.0%} of the capacity for {plan.held_seconds:.0f} s",
            times=1,
            sent=held.sent,
            stored=held.stored,
            rejected=0,
            lost=max(0, held.sent - held.stored),
            doubled=max(0, held.stored - held.sent),
        )
    )
    third = len(held.samples) // 3
    first, last = held.samples[:third], held.samples[-third:]
    pool_size = int(load_config(ROOT / "local_azure.yaml").settings["DATABASE_POOL_SIZE"])
    assert max(each.connections for each in held.samples) <= pool_size
    waiting = statistics.median(value for _, value in held.series()[WAITING][-third:])
    assert waiting < _MOST_WAITING_SECONDS
    if full:
        # In seconds, what the allocator holds back and gives back hides what is kept.
        came = PER_MESSAGE_BYTES * (_middle(last, "processed") - _middle(first, "processed"))
        kept = 2**20 * (_middle(last, "memory_mib") - _middle(first, "memory_mib"))
        assert kept < _MOST_KEPT * came
