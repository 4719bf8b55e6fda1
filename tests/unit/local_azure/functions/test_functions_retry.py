from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from local_azure.functions.retry import UNLIMITED, ExponentialBackoff, FixedDelay, may_retry

SECOND = timedelta(seconds=1)


@given(st.integers(1, 10_000), st.integers(), st.integers(0, 60), st.integers(0, 10_000))
def test_an_exponential_pause_stays_between_its_bounds(
    retry: int, seed: int, minimum: int, more: int
) -> None:
    policy = ExponentialBackoff(UNLIMITED, minimum * SECOND, (minimum + more) * SECOND)
    assert policy.minimum <= policy.pause(retry, Random(seed)) <= policy.maximum


def test_pauses_double_with_a_jitter_of_a_fifth() -> None:
    policy = ExponentialBackoff(5, SECOND, timedelta(hours=1))
    for retry in range(2, 8):
        bare = SECOND * 2 ** (retry - 1)
        pauses = [policy.pause(retry, Random(seed)) for seed in range(200)]
        assert 0.8 * bare <= min(pauses) < 0.85 * bare
        assert 1.15 * bare < max(pauses) <= 1.2 * bare


def test_a_fixed_delay_never_changes() -> None:
    policy = FixedDelay(3, 2 * SECOND)
    assert {policy.pause(retry, Random(0)) for retry in range(1, 9)} == {2 * SECOND}


def test_a_policy_allows_as_many_retries_as_it_says() -> None:
    assert [may_retry(FixedDelay(2, SECOND), failures) for failures in (1, 2, 3)] == [
        True,
        True,
        False,
    ]
    assert not may_retry(FixedDelay(0, SECOND), 1)
    assert may_retry(FixedDelay(UNLIMITED, SECOND), 10**9)
    assert not may_retry(None, 1)
