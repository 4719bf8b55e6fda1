"""Judges stored payments again by the active rule set, window by window, over any span.

What is done is recorded with each window, so that an interrupted back-fill goes on where it was.
Payments that arrive meanwhile keep the metrics that they came with.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from shared_code.domain.windows import Window, window_of
from shared_code.engine.aggregation import Aggregator, BackfillStep, HeldElsewhere
from shared_code.store.backfills import Backfill

_RETRY_SECONDS: Final = 1.0
# Windows that end meanwhile are closed in between: the timer may find the lease taken each time.
_TICK_SECONDS: Final = 60.0


class Waiting(NamedTuple):
    """Another instance closes windows; the back-fill goes on as soon as that is done."""


type Watch = Callable[[BackfillStep | Waiting], None]


def run_backfill(
    aggregator: Aggregator,
    span: Window,
    *,
    by: str,
    again: bool = False,
    watch: Watch = lambda _: None,
) -> Backfill:
    """Back-fill a span under the active rule set and return how it stands at the end.

    If another rule set becomes active meanwhile, the span is back-filled under that one, from its
    beginning.

    Args:
        aggregator: closes windows.
        span: whole windows that have ended.
        by: who does it.
        again: whether to do once more what is finished under the active rule set.
        watch: is told of every window, and once of each wait.

    Raises:
        StoreUnavailable: the database failed; done again, it goes on from there.
        LeaseLost: another instance took over; likewise.
        BehindHorizon: payments of a window are not kept any more.
    """
    aggregator.require_kept([window_of(span.start)])
    afresh, waits = again, False
    next_tick = time.monotonic() + _TICK_SECONDS
    while True:
        try:
            step = aggregator.backfill_next(span, datetime.now(UTC), by=by, afresh=afresh)
        except HeldElsewhere:
            if not waits:
                watch(Waiting())
            waits = True
            time.sleep(_RETRY_SECONDS)
            continue
        afresh, waits = False, False
        watch(step)
        if step.claim.window is None:
            return step.claim.backfill
        if time.monotonic() >= next_tick:
            aggregator.tick(datetime.now(UTC))
            next_tick = time.monotonic() + _TICK_SECONDS


def time_left(done: int, windows: int, elapsed: timedelta) -> timedelta:
    """Return how long the rest will take if it goes on as it did; ``done`` is at least 1."""
    return elapsed / done * (windows - done)
