"""The model of scale adds up, grows with the rate, and names what gives way."""

from itertools import pairwise

import pytest

from bench.scaling_hot_keys import Batch, payments_per_second
from bench.scaling_model import RATES, Costs, need

COSTS = Costs(
    client_us=20, server_us=10, log_bytes=800, stored_bytes=500, message_bytes=600, commit_ms=3
)
BATCH = Batch(payments=100, work=0.004, counters=0.001, commit=0.003)


def test_a_small_case_is_what_one_reckons_by_hand() -> None:
    found = need(10_000, COSTS)
    # 6 MB/s; 10,000 messages/s, or 200.
    assert (found.units_packed, found.units_single) == (6, 10)
    # A batch of 1,000 takes 30 ms and 3 ms: 330 ms of every second, at most 60 % busy.
    assert found.partitions == 1
    assert (found.instances, found.connections, found.vcores) == (1, 2, 1)
    assert found.log_mb_s == pytest.approx(8)
    assert found.stored_gb_day == pytest.approx(432)
    assert found.bottlenecks == ()


def test_a_large_case_is_what_one_reckons_by_hand() -> None:
    found = need(1_000_000, COSTS)
    assert (found.units_packed, found.units_single) == (600, 1000)
    # 33 s of batches a second; 20 and 10 s of CPU.
    assert (found.partitions, found.instances, found.vcores) == (55, 34, 17)
    assert any("Standard tier" in bottleneck for bottleneck in found.bottlenecks)
    assert any("disk throughput" in bottleneck for bottleneck in found.bottlenecks)


def test_every_need_grows_with_the_rate() -> None:
    for less, more in pairwise(need(rate, COSTS) for rate in RATES):
        for name in ("units_packed", "partitions", "instances", "vcores", "log_mb_s"):
            assert getattr(less, name) <= getattr(more, name)
        assert set(less.bottlenecks) <= set(more.bottlenecks) | {
            "partitions of Standard: Premium",
            "single payments per message: pack them",
        }


def test_a_partition_has_one_reader() -> None:
    for rate in RATES:
        found = need(rate, COSTS)
        assert found.instances <= found.partitions


def test_one_writer_is_as_fast_either_way() -> None:
    rates = [payments_per_second(1, 8, BATCH, upsert=upsert) for upsert in (True, False)]
    assert rates == pytest.approx([12_500, 12_500], rel=0.01)


def test_writers_that_update_the_same_counters_wait_for_each_others_commits() -> None:
    # A counter is held for 1 ms and 3 ms of commit: 250 batches a second, however many writers.
    assert payments_per_second(64, 64, BATCH, upsert=True) == pytest.approx(25_000, rel=0.01)


def test_writers_that_append_are_bounded_by_the_cores_alone() -> None:
    assert payments_per_second(4, 64, BATCH, upsert=False) == pytest.approx(50_000, rel=0.01)
    assert payments_per_second(64, 4, BATCH, upsert=False) == pytest.approx(80_000, rel=0.01)
