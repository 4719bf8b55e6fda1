"""Many instances on the same hot counters, simulated: UPSERT in the batch against appended deltas.

A writer computes and has the server work for its batch, on as many cores as there are, and then
commits. With UPSERT it holds the counters' row locks from the update to the end of its commit, so
that all others wait; with deltas nobody waits, and one writer at a time folds what was appended.
"""

import heapq
from typing import Final, NamedTuple

SECONDS: Final = 30.0


class Batch(NamedTuple):
    """What one batch takes, in seconds; ``counters`` are updated at its end."""

    payments: int
    work: float
    counters: float
    commit: float


def payments_per_second(writers: int, cores: int, batch: Batch, *, upsert: bool) -> float:
    """Return the simulated rate of so many writers.

    Args:
        writers: each writes one batch after the other.
        cores: of the machine on which the batches' work is done.
        batch: what each batch takes.
        upsert: whether counters are updated in the batch's own transaction; else they are appended
            at no cost here, and folding takes its share of the cores.
    """
    core_free = [0.0] * cores
    lock_free = 0.0
    done = 0
    # When each writer wants to begin its next batch.
    waiting = [0.0] * writers
    heapq.heapify(waiting)
    while waiting[0] < SECONDS:
        begin = heapq.heappop(waiting)
        work = batch.work if upsert else batch.work + batch.counters
        core = heapq.heappop(core_free)
        worked = max(begin, core) + work
        heapq.heappush(core_free, worked)
        if upsert:
            locked = max(worked, lock_free)
            end = locked + batch.counters + batch.commit
            lock_free = end
        else:
            end = worked + batch.commit
        done += end <= SECONDS
        heapq.heappush(waiting, end)
    return done * batch.payments / SECONDS
