"""Counts what a publisher achieves, and how fast."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

# Buckets from 10 microseconds on, eight to each doubling: a percentile is right within 5 %.
_SHORTEST: Final = 1e-5
_PER_DOUBLING: Final = 8
_BUCKETS: Final = 28 * _PER_DOUBLING


class Latencies:
    """How long things took, in a histogram whose size does not grow."""

    __slots__ = ("_buckets", "_count")

    def __init__(self) -> None:
        self._buckets = [0] * _BUCKETS
        self._count = 0

    def add(self, seconds: float) -> None:
        """Count one more; below 10 microseconds and above 40 minutes all are alike."""
        doublings = math.log2(max(seconds, _SHORTEST) / _SHORTEST)
        self._buckets[min(int(doublings * _PER_DOUBLING), _BUCKETS - 1)] += 1
        self._count += 1

    def percentile(self, share: float) -> float:
        """Return the seconds within which ``share`` (0 to 1) of all stayed; 0 if there are none."""
        rank = max(1, math.ceil(share * self._count))
        seen = 0
        for bucket, count in enumerate(self._buckets):
            seen += count
            if seen >= rank:
                return float(_SHORTEST * 2 ** ((bucket + 0.5) / _PER_DOUBLING))
        return 0.0


@dataclass(slots=True)
class Counters:
    """What one publisher has done so far.

    Attributes:
        taken: messages given to ``send``, acknowledged or not.
        messages: acknowledged ones.
        events: in acknowledged messages.
        bytes: of acknowledged messages, as encoded for the wire or the file.
        batches: operations that were acknowledged, of one or many messages.
        failures: operations that failed, whether they were repeated or given up.
        sdk_seconds: spent inside the library that sends.
        latencies: of batches, from hand-over to acknowledgement, retries included.
    """

    taken: int = 0
    messages: int = 0
    events: int = 0
    bytes: int = 0
    batches: int = 0
    failures: int = 0
    sdk_seconds: float = 0.0
    latencies: Latencies = field(default_factory=Latencies)
    _began: float | None = None
    _ended: float = 0.0

    def take(self) -> None:
        """Count a message that was given to ``send``."""
        self.taken += 1
        if self._began is None:
            self._began = time.monotonic()

    def acknowledge(self, messages: int, events: int, size: int, seconds: float) -> None:
        """Count a batch that was acknowledged ``seconds`` after it had been handed over."""
        self.messages += messages
        self.events += events
        self.bytes += size
        self.batches += 1
        self.latencies.add(seconds)
        self._ended = time.monotonic()

    @contextmanager
    def inside_sdk(self) -> Iterator[None]:
        """Count the time that the body of a ``with`` statement takes."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.sdk_seconds += time.monotonic() - began

    @property
    def seconds(self) -> float:
        """From the first message taken to the last acknowledgement."""
        return max(0.0, self._ended - self._began) if self._began is not None else 0.0

    @property
    def events_per_second(self) -> float:
        """Acknowledged events by the time that they took; 0 before the first."""
        return self.events / self.seconds if self.seconds else 0.0


def summary(counters: Counters) -> str:
    """Return one line about what was sent, how fast, and what failed on the way."""
    failures = f"{counters.failures} failure{'' if counters.failures == 1 else 's'}"
    if not counters.messages:
        return f"nothing was acknowledged, {failures}"
    p50, p99 = (counters.latencies.percentile(share) * 1000 for share in (0.50, 0.99))
    return (
        f"{counters.events} events in {counters.messages} messages "
        f"({counters.bytes / 1e6:.1f} MB) at {counters.events_per_second:.0f} events/s; "
        f"{counters.batches} batches, acknowledged in {p50:.1f} ms (p50) and {p99:.1f} ms (p99); "
        f"{counters.sdk_seconds:.1f} s inside the SDK; {failures}"
    )
