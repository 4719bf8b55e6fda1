"""What a rule costs: judging a thousand payments by more and more rules, in one run.

Every set holds transaction rules like those of a real one: comparisons of amounts, codes, texts and
times under ``all``, ``any`` and ``not``, three in ten matching. The time is that of compiled column
operations over a batch that is decoded already; rows are not written.
"""

import argparse
import itertools
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec

from bench import workload
from bench.report import Cell, Result, add_arguments, conclude, machine
from bench.throwaway import KEY
from shared_code.domain.decoding import decode_batch
from shared_code.domain.horizon import horizon_at
from shared_code.domain.normalised_payment import AcceptedPayment
from shared_code.domain.pseudonyms import Pseudonymiser
from shared_code.rules.batch_columns import columns_of
from shared_code.rules.compiler import CompiledRules, compile_document

PAYMENTS: Final = 1_000
SIZES: Final = (10, 30, 100, 300)


def conditions() -> Iterator[dict[str, Any]]:
    """Yield conditions without end, each a little different from all before."""
    for number in itertools.count(1):
        yield {"field": "amount", "operator": "gte", "value": 900 + number}
        yield {
            "all": [
                {"field": "payment_method", "operator": "in", "value": ["credit_card"]},
                {"field": "amount", "operator": "between", "value": [number, 500 + number]},
            ]
        }
        yield {
            "any": [
                {"field": "customer.country", "operator": "eq", "value": "FR"},
                {"field": "merchant.id", "operator": "starts_with", "value": f"m{number}"},
            ]
        }
        yield {
            "all": [
                {"field": "payment_status", "operator": "ne", "value": "completed"},
                {"not": {"field": "event_time", "operator": "hour_between", "value": [22, 6]}},
                {"field": "amount", "operator": "lt", "value": 100 + number},
            ]
        }
        yield {"field": "amount", "operator": "is_round_amount", "value": 10 * number}


def rule_set(size: int) -> CompiledRules:
    """Return a compiled set of so many transaction rules."""
    rules = [
        {
            "id": f"rule_{number}",
            "scope": "transaction",
            "description": "A rule of the benchmark.",
            "category": "operations",
            "severity": "info",
            "metric": {"name": f"metric_{number}", "type": "count"},
            "when": condition,
        }
        for number, condition in enumerate(itertools.islice(conditions(), size))
    ]
    return compile_document(msgspec.json.encode({"version": "1.0.0", "rules": rules}))


def seconds_to_judge(rules: CompiledRules, payments: Sequence[AcceptedPayment]) -> float:
    """Return how long judging a batch takes, from its rows to the matches of every rule."""
    columns = columns_of(payments)
    began = time.perf_counter()
    for _ in rules.matches(columns):
        pass
    return time.perf_counter() - began


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(prog="python -m bench.rules", description=__doc__)
    parser.add_argument("--rounds", type=int, default=60, help="timings of each set (60)")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    end = workload.recent()
    decoded = decode_batch(
        workload.messages(PAYMENTS, 1, end),
        Pseudonymiser(bytes.fromhex(KEY)),
        horizon_at(end, timedelta(days=1)),
    )
    payments = [placed.accepted for placed in decoded.payments]
    sets = {size: rule_set(size) for size in SIZES}
    # Turn and turn about, so that a busy machine slows all of them alike.
    timings: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(options.rounds):
        for size, rules in sets.items():
            timings[size].append(seconds_to_judge(rules, payments))
    base = statistics.median(timings[SIZES[0]]) * 1e6
    rows: list[list[Cell]] = []
    for size in SIZES:
        median = statistics.median(timings[size]) * 1e6
        added = (median - base) / (size - SIZES[0]) if size > SIZES[0] else None
        rows.append([size, round(median), median / base, added])
    result = Result(
        benchmark="rules",
        title=f"Judging {len(payments)} payments, median of {options.rounds}",
        columns=("rules", "microseconds", "of the first set", "microseconds per added rule"),
        rows=rows,
        ratios=[],
        seconds=time.perf_counter() - started,
        machine=machine(),
    )
    return conclude([result], options.json)


if __name__ == "__main__":
    sys.exit(main())
