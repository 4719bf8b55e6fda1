import time

import pytest

from simulator.publishing.counters import Counters, Latencies, summary


@pytest.mark.parametrize(
    ("share", "expected"), [(0.01, 0.01), (0.5, 0.5), (0.9, 0.9), (0.99, 0.99), (1.0, 1.0)]
)
def test_a_percentile_is_right_within_five_percent(share: float, expected: float) -> None:
    latencies = Latencies()
    for hundredths in range(100, 0, -1):
        latencies.add(hundredths / 100)
    assert latencies.percentile(share) == pytest.approx(expected, rel=0.05)


def test_of_two_the_lower_one_is_the_median() -> None:
    latencies = Latencies()
    latencies.add(10.0)
    latencies.add(0.001)
    assert latencies.percentile(0.5) == pytest.approx(0.001, rel=0.05)


def test_extremes_are_counted_and_memory_does_not_grow() -> None:
    latencies = Latencies()
    for seconds in (0.0, 1e9):
        latencies.add(seconds)
    assert latencies.percentile(0.5) == pytest.approx(1e-5, rel=0.05)
    assert 1_000 < latencies.percentile(1.0) < 3_000
    assert len(latencies._buckets) == 224


def test_nothing_measured_is_zero() -> None:
    assert Latencies().percentile(0.99) == 0
    assert (Counters().seconds, Counters().events_per_second) == (0, 0)


def test_throughput_runs_from_the_first_taken_to_the_last_acknowledged() -> None:
    counters = Counters()
    counters.take()
    time.sleep(0.05)
    counters.take()
    counters.acknowledge(2, 10, 1_000, 0.05)
    time.sleep(0.05)
    assert 0.05 <= counters.seconds < 0.1
    assert counters.events_per_second == pytest.approx(10 / counters.seconds)


def test_time_inside_the_sdk_is_counted_when_it_fails_too() -> None:
    counters = Counters()

    def fail() -> None:
        time.sleep(0.02)
        raise LookupError

    with pytest.raises(LookupError), counters.inside_sdk():
        fail()
    assert counters.sdk_seconds >= 0.02


def test_the_summary_is_one_line_with_everything() -> None:
    counters = Counters(failures=1, sdk_seconds=1.25)
    counters.take()
    counters.acknowledge(3, 60, 2_500_000, 0.010)
    counters._began, counters._ended = 100.0, 102.0
    assert summary(counters) == (
        "60 events in 3 messages (2.5 MB) at 30 events/s; 1 batches, acknowledged in 9.8 ms (p50) "
        "and 9.8 ms (p99); 1.2 s inside the SDK; 1 failure"
    )


def test_the_summary_of_nothing_still_tells_failures() -> None:
    assert summary(Counters(failures=2)) == "nothing was acknowledged, 2 failures"
