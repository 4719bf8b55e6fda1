"""Retry policies of function.json and the delays between attempts."""

from dataclasses import dataclass
from datetime import timedelta
from random import Random

UNLIMITED = -1
"""``maxRetryCount`` of a policy that never gives up."""

JITTER = 0.2
"""The host spreads an exponential delay by up to a fifth in both directions."""


@dataclass(frozen=True, slots=True)
class FixedDelay:
    """``fixedDelay``: always the same pause."""

    max_retry_count: int
    delay: timedelta

    def pause(self, _retry: int, _random: Random) -> timedelta:
        """How long to wait before any retry."""
        return self.delay


@dataclass(frozen=True, slots=True)
class ExponentialBackoff:
    """``exponentialBackoff``: pauses that double from a minimum to a maximum, with jitter."""

    max_retry_count: int
    minimum: timedelta
    maximum: timedelta

    def pause(self, retry: int, random: Random) -> timedelta:
        """How long to wait before retry number ``retry`` (the first is 1).

        The pause is never below the minimum nor above the maximum.
        """
        doublings = min(retry - 1, 62)
        bare = min(self.minimum * 2**doublings, self.maximum) if doublings < 32 else self.maximum
        spread = bare * random.uniform(1 - JITTER, 1 + JITTER)
        return max(self.minimum, min(spread, self.maximum))


type RetryPolicy = FixedDelay | ExponentialBackoff


def may_retry(policy: RetryPolicy | None, failures: int) -> bool:
    """Tell whether another attempt is due after so many failed ones."""
    if policy is None:
        return False
    return policy.max_retry_count == UNLIMITED or failures <= policy.max_retry_count
