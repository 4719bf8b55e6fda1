"""How long to go on trying."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Exponential backoff with jitter; by default about a minute in all.

    Attributes:
        retries: attempts beyond the first before an operation fails for good.
        first: seconds before the first retry; they double each time.
        longest: most seconds before a retry.
        busy: seconds to wait besides when the service is throttling: it asks for four.
        attempt: most seconds of one attempt.
    """

    retries: int = 8
    first: float = 0.5
    longest: float = 20.0
    busy: float = 4.0
    attempt: float = 60.0

    def pause(self, retry: int, *, busy: bool = False) -> float:
        """Return the seconds to wait before a retry, the first of which has the number 1."""
        full = min(self.longest, self.first * 2 ** (retry - 1))
        # Many producers that failed together shall not come back together.
        jittered = random.uniform(full / 2, full)  # noqa: S311 - spreads retries, guards nothing
        return jittered + (self.busy if busy else 0.0)
