"""Streams of batches, delivered to engines as the host delivers them, and what became of them."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

from fault_report import FaultCount
from oracle import Expected, expected_of
from payment_messages import NOW, message, varied_events
from sqlalchemy import Connection
from store_fixtures import Store
from stored_state import (
    assert_closed,
    assert_metrics,
    assert_stored,
    stored_figures,
    stored_payments,
    stored_rejected,
    stored_sums,
)

from shared_code.domain.decoding import Message
from shared_code.engine.metric_engine import MetricEngine
from shared_code.store.errors import StoreUnavailable

_PACKED: Final = 5
_IN_A_BATCH: Final = 20
# The host pauses for a second at first and a minute at most; a test has less time.
_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.5

type Batch = Sequence[Message]


def partition(number: int, batches: int, *, seed: int = 0) -> list[Batch]:
    """Return batches of a partition: mostly new payments, some repeated, contradicted or no JSON.

    Every seventh event of a partition is one of the other partitions', too.
    """
    draw = random.Random(1000 * seed + number)
    size = _PACKED * _IN_A_BATCH
    own = varied_events(batches * size, prefix=f"p{number}")
    shared = varied_events(batches * size, prefix="shared")
    events = [shared[at] if at % 7 == 0 else event for at, event in enumerate(own)]
    for at in range(size, len(events)):
        if at % 7 and draw.random() < 0.04:
            # A payment of its own partition alone, so that which content came first is certain.
            earlier = own[(at - draw.randrange(1, size)) // 7 * 7 + 1]
            events[at] = earlier if draw.random() < 0.5 else earlier | {"amount": "77"}
    sent = []
    for first in range(0, len(events), _PACKED):
        content = b"no JSON" if draw.random() < 0.01 else events[first : first + _PACKED]
        sent.append(message(content, first // _PACKED, str(number)))
    return [sent[first : first + _IN_A_BATCH] for first in range(0, len(sent), _IN_A_BATCH)]


def all_messages(partitions: Sequence[Sequence[Batch]]) -> list[Message]:
    """Return every message of some partitions."""
    return [each for batches in partitions for batch in batches for each in batch]


class Delivery:
    """Delivers partitions, each in its own thread and order, and every batch until it is stored.

    Within a ``with`` block faults may happen; its end waits for the last batch.

    Args:
        partitions: the batches of each.
        engines: one for each partition; a single one for all of them.
        pace: seconds between batches of a partition.
    """

    def __init__(
        self,
        partitions: Sequence[Sequence[Batch]],
        engines: Sequence[MetricEngine],
        *,
        pace: float = 0.0,
    ) -> None:
        self._pace = pace
        self._lock = threading.Lock()
        self._given_up = threading.Event()
        self._broken: list[BaseException] = []
        self.commits: list[float] = []
        """When a batch was stored, by ``time.monotonic``."""
        self.failures: Counter[str | None] = Counter()
        """How often a batch failed, by SQLSTATE."""
        several = engines if len(engines) > 1 else [engines[0]] * len(partitions)
        self._threads = [
            threading.Thread(target=self._deliver, args=pair)
            for pair in zip(several, partitions, strict=True)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            self._given_up.set()
        for thread in self._threads:
            thread.join()
        if error is None and self._broken:
            raise self._broken[0]

    @property
    def running(self) -> bool:
        """Whether batches are left."""
        return any(thread.is_alive() for thread in self._threads)

    def recovery_after(self, moment: float) -> float:
        """Return the seconds from a moment to the next commit; 0 if everything was stored."""
        return min((at - moment for at in self.commits if at >= moment), default=0.0)

    def _deliver(self, engine: MetricEngine, batches: Sequence[Batch]) -> None:
        try:
            for batch in batches:
                self._until_stored(engine, batch)
                time.sleep(self._pace)
        except BaseException as error:  # noqa: BLE001 - raised at the end of the block
            self._broken.append(error)

    def _until_stored(self, engine: MetricEngine, batch: Batch) -> None:
        pause = _FIRST_PAUSE
        while not self._given_up.is_set():
            try:
                engine.process_batch(batch, now=NOW)
            except StoreUnavailable as failure:
                with self._lock:
                    self.failures[failure.sqlstate] += 1
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                with self._lock:
                    self.commits.append(time.monotonic())
                return


def deliver(batches: Sequence[Batch], engine: MetricEngine) -> Delivery:
    """Deliver the batches of one partition."""
    with Delivery([batches], [engine]) as delivery:
        pass
    return delivery


def close_windows(engine: MetricEngine) -> None:
    """Fold and close all windows, as the timer does."""
    while True:
        try:
            engine.aggregate(NOW)
        except StoreUnavailable:
            time.sleep(_FIRST_PAUSE)
        else:
            return


def settle(
    store: Store,
    sent: Sequence[Message],
    record: Callable[[FaultCount], None],
    *,
    fault: str,
    times: int,
    recovery_seconds: float | None = None,
) -> None:
    """Close all windows, count what was lost and doubled, and hold every table to the oracle."""
    close_windows(store.metrics)
    expected = expected_of(sent, NOW)
    with store.connection() as connection:
        record(_counted(connection, expected, fault, times, recovery_seconds))
        assert_stored(connection, expected)
        assert_closed(connection, expected)
        assert_metrics(connection, expected)


def _counted(
    connection: Connection,
    expected: Expected,
    fault: str,
    times: int,
    recovery_seconds: float | None,
) -> FaultCount:
    payments, rejected = stored_payments(connection), stored_rejected(connection)
    streamed, final = stored_sums(connection), stored_figures(connection, expected.final)
    doubled = [
        found.count - (expected.streamed[group].count if group in expected.streamed else 0)
        for sums in (streamed, {group: figures.sums for group, figures in final.items()})
        for group, found in sums.items()
    ]
    return FaultCount(
        fault,
        times,
        sent=len(expected.payments) + len(expected.rejected),
        stored=len(payments),
        rejected=len(rejected),
        lost=len(expected.payments.keys() - payments.keys())
        + len(expected.rejected.keys() - rejected.keys()),
        doubled=sum(count for count in doubled if count > 0),
        recovery_seconds=recovery_seconds,
    )
