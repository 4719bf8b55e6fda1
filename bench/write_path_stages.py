"""Where a batch spends its time: each step of the write path by itself, in the engine's order."""

import statistics
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

from bench import workload
from bench.throwaway import KEY
from shared_code.domain.decoding import decode_batch
from shared_code.domain.horizon import horizon_at
from shared_code.domain.pseudonyms import Pseudonymiser
from shared_code.engine.metric_engine import MetricEngine
from shared_code.rules.batch_columns import columns_of
from shared_code.rules.compiler import compile_document
from shared_code.store.copy_metrics import metric_rows
from shared_code.store.copy_payments import payment_rows
from shared_code.store.rule_store import last_activation
from shared_code.store.write_path import RuleSetMatches, standing_hashes, write_payments

ROUNDS: Final = 15
# Far from those of the rounds that are measured: no payment comes twice.
FIRST_SEED: Final = 10**10


class Stages(NamedTuple):
    """Microseconds per payment of each step, for one size of batch."""

    size: int
    microseconds: Mapping[str, float]

    def dearest(self) -> str:
        """Return in a few words where the time goes."""
        steps = sorted(self.microseconds.items(), key=lambda step: -step[1])
        return "; ".join(f"{name} {taken:.1f} µs/payment" for name, taken in steps)


def stages(engine: MetricEngine, sizes: Sequence[int], end: datetime) -> list[Stages]:
    """Return where batches of each size spend their time, medians over some batches."""
    return [_stages(engine, size, end) for size in sizes]


def _stages(engine: MetricEngine, size: int, end: datetime) -> Stages:
    rounds = [
        _write(engine, size, FIRST_SEED + size * ROUNDS + number, end) for number in range(ROUNDS)
    ]
    return Stages(
        size,
        {name: statistics.median(each[name] for each in rounds) / size * 1e6 for name in rounds[0]},
    )


def _write(engine: MetricEngine, size: int, seed: int, end: datetime) -> dict[str, float]:
    """Write one batch and return the seconds of each step."""
    messages = workload.messages(size, seed, end)
    document = workload.rules_document()
    rules = compile_document(document)
    laps = [time.perf_counter()]
    decoded = decode_batch(
        messages, Pseudonymiser(bytes.fromhex(KEY)), horizon_at(end, timedelta(days=30))
    )
    laps.append(time.perf_counter())
    placed = sorted(decoded.payments, key=lambda each: each.accepted.payment.identity)
    fresh = [each.accepted for each in placed]
    columns = columns_of(fresh)
    laps.append(time.perf_counter())
    matches = list(rules.matches(columns))
    laps.append(time.perf_counter())
    payment_rows(
        columns,
        content_hashes=[accepted.content_hash for accepted in fresh],
        metadata=[accepted.metadata for accepted in fresh],
        rule_set=1,
        enqueued_at=None,
    )
    metric_rows(columns, matches, 1)
    laps.append(time.perf_counter())
    with engine.database.transaction() as connection:
        last_activation(connection)
        standing_hashes(connection, columns)
        laps.append(time.perf_counter())
        judged = RuleSetMatches(1, matches)
        write_payments(connection, fresh, columns, judged, enqueued_at=None)
        laps.append(time.perf_counter())
    laps.append(time.perf_counter())
    decode, order, judge, build, look, write, commit = (
        later - earlier for earlier, later in pairwise(laps)
    )
    return {
        "decode and normalise": decode,
        "order, columns": order,
        "judge": judge,
        "build rows": build,
        "look at what is there": look,
        # Building the rows is part of writing them, too.
        "COPY and deltas": max(write - build, 0.0),
        "commit": commit,
    }
