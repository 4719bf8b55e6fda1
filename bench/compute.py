"""From messages to rows ready for COPY, without a database: the product beside its peers.

Decode, check against the contract, normalise, judge by thirty rules, write rows. The same messages
go through the product's own code, a plain loop of Python, and Bytewax in an environment of its own,
turn and turn about in one run. Bytewax does the job twice: tuned, with msgspec and whole batches a
step, and as its documentation writes jobs, with one step a payment. The goal is held against the
tuned one. All have to find the same payments and the same matches, in odd events, too. Each is one
thread that waits for nothing, so that its time is that of the CPU: what else the machine does is
left out.
"""

import argparse
import base64
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from rich.console import Console

from bench import workload
from bench.compute_environment import bytewax_python
from bench.compute_odd import odd_bodies
from bench.compute_peer import described, description, match_line, payment_text
from bench.compute_peer_rules import COLUMNS
from bench.compute_plain import PlainLoop
from bench.compute_rules import thirty_rules
from bench.report import Cell, Ratio, Result, add_arguments, conclude, machine, spread
from bench.throwaway import KEY, ROOT
from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.decoding import Message, Origin, RejectedEvent, decode_batch
from shared_code.domain.horizon import Horizon, horizon_at
from shared_code.domain.normalised_payment import AcceptedPayment
from shared_code.domain.pseudonyms import Pseudonymiser
from shared_code.domain.vocabularies import CARD_METHODS
from shared_code.engine.batch import by_identity
from shared_code.rules.batch_columns import columns_of
from shared_code.rules.columns import Columns
from shared_code.rules.compiler import compile_document
from shared_code.rules.fields import ALL_FIELDS
from shared_code.rules.findings import Matches
from shared_code.store.copy_metrics import metric_rows
from shared_code.store.copy_payments import payment_rows

BATCH: Final = 1_000
LEAST_OF_BYTEWAX: Final = 4.0
RULE_SET: Final = 1
_OURS, _PLAIN = "payment-metrics", "plain Python loop"
_BYTEWAX, _STEPS = "Bytewax, whole batches and msgspec", "Bytewax, one step a payment"
_JOBS: Final = {_BYTEWAX: "batches", _STEPS: "steps"}
_LEFT_OUT: Final = (
    "Bytewax was left out: it has no wheel for this Python, and no Python 3.12 or 3.11 was found."
)


type Clock = Callable[[str], None]


def no_clock(stage: str) -> None:
    """Take no time."""
    del stage


class Judged(NamedTuple):
    """A batch before its rows are written."""

    payments: Sequence[AcceptedPayment]
    rejected: Sequence[RejectedEvent]
    columns: Columns
    matches: Sequence[Matches]


class Ours:
    """The product's own way from messages to rows."""

    def __init__(self, horizon: Horizon) -> None:
        self._horizon = horizon
        self._pseudonymiser = Pseudonymiser(bytes.fromhex(KEY))
        self._rules = compile_document(thirty_rules())

    def judged(self, bodies: Sequence[bytes], clock: Clock = no_clock) -> Judged:
        """Decode a batch and judge the first payment of each identity."""
        messages = [
            Message(Origin("bench", "payments", "0", number), body)
            for number, body in enumerate(bodies)
        ]
        decoded = decode_batch(messages, self._pseudonymiser, self._horizon)
        clock("decoding and normalising")
        placed, _ = by_identity(decoded.payments)
        payments = [each.accepted for each in placed]
        clock("one payment for each identity")
        columns = columns_of(payments)
        matches = list(self._rules.matches(columns))
        clock("columns and thirty rules")
        return Judged(payments, decoded.rejected, columns, matches)

    def rows(self, bodies: Sequence[bytes], clock: Clock = no_clock) -> tuple[bytes, bytes]:
        """Return the rows of payments and of metrics, ready for COPY."""
        judged = self.judged(bodies, clock)
        payments = payment_rows(
            judged.columns,
            content_hashes=[payment.content_hash for payment in judged.payments],
            metadata=[payment.metadata for payment in judged.payments],
            rule_set=RULE_SET,
            enqueued_at=None,
        )
        clock("rows of payments")
        metrics = metric_rows(judged.columns, judged.matches, RULE_SET)
        clock("rows of metrics")
        return payments, metrics

    def stages(self, batches: Sequence[Sequence[bytes]]) -> dict[str, float]:
        """Return the CPU seconds of each stage over all batches."""
        spent: dict[str, float] = {}
        began = time.process_time()

        def clock(stage: str) -> None:
            nonlocal began
            now = time.process_time()
            spent[stage] = spent.get(stage, 0.0) + now - began
            began = now

        for bodies in batches:
            self.rows(bodies, clock)
        return spent

    def described(self, batches: Sequence[Sequence[bytes]]) -> dict[str, Any]:
        """Return what batches come to, as the peers describe it."""
        payments: list[str] = []
        matches: list[str] = []
        rejected: list[str] = []
        for bodies in batches:
            judged = self.judged(bodies)
            rows = list(zip(*(judged.columns.values(name) for name in COLUMNS), strict=True))
            payments += [
                payment_text(row, payment.metadata)
                for row, payment in zip(rows, judged.payments, strict=True)
            ]
            matches += [
                match_line(rows[row], RULE_SET, match.rule, match.outcome, value)
                for match in judged.matches
                for row, value in zip(match.rows, match.values, strict=True)
            ]
            rejected += [event.reason.name for event in judged.rejected]
        return description(payments, matches, rejected)


def _contract(horizon: Horizon) -> dict[str, Any]:
    """Return what a peer has to know of the contract, as JSON."""
    numbers = {field.column: dict(field.numbers) for field in ALL_FIELDS.values() if field.numbers}
    return {
        "numbers": numbers,
        "currencies": {
            code: [currency.number, currency.minor_unit] for code, currency in CURRENCIES.items()
        },
        "card_methods": sorted(method.name for method in CARD_METHODS),
        "horizon": [time.isoformat() for time in horizon],
        "key": KEY,
    }


@contextmanager
def _bytewax(
    python: Path,
    contract: dict[str, Any],
    batches: Sequence[Sequence[bytes]],
    odd: Sequence[Sequence[bytes]],
    job: str,
) -> Iterator[Any]:
    """Run a Bytewax job and yield its process; its first line says what it found."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        given = {
            "contract": contract,
            "rules": json.loads(thirty_rules()),
            "batches": _encoded(batches),
            "odd": _encoded(odd),
        }
        json.dump(given, file)
        file.flush()
        command = [str(python), "-m", "bench.bytewax_job", file.name, job]
        with subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            yield process
            process.stdin.close()  # type: ignore[union-attr]


def _encoded(batches: Sequence[Sequence[bytes]]) -> list[list[str]]:
    return [[base64.b64encode(body).decode() for body in each] for each in batches]


def _bytewax_seconds(process: Any) -> float:
    process.stdin.write("run\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def _require_alike(descriptions: dict[str, dict[str, Any]]) -> None:
    first = descriptions[_OURS]
    for name, found in descriptions.items():
        if found != first:
            message = f"{name} found {found}, {_OURS} found {first}"
            raise RuntimeError(message)


class Measured(NamedTuple):
    """CPU seconds of each contestant for each round and of the product's stages, and the finds."""

    seconds: dict[str, list[float]]
    stages: list[dict[str, float]]
    found: dict[str, Any]


def _measure(options: argparse.Namespace, end: datetime) -> Measured:
    horizon = horizon_at(end, timedelta(days=30))
    contract = _contract(horizon)
    batches = [workload.bodies(BATCH, seed, end) for seed in range(options.batches)]
    odd = [odd_bodies(end)]
    ours = Ours(horizon)
    plain = PlainLoop(contract, json.loads(thirty_rules()), RULE_SET)
    python = bytewax_python()
    found = {
        _OURS: ours.described([*batches, *odd]),
        _PLAIN: described(plain.batch(bodies) for bodies in [*batches, *odd]),
    }
    with ExitStack() as stack:
        status = stack.enter_context(Console().status("starting"))
        tasks: dict[str, Callable[[], float]] = {
            _OURS: lambda: _seconds(ours.rows, batches),
            _PLAIN: lambda: _seconds(plain.batch, batches),
        }
        for name, job in {} if python is None else _JOBS.items():
            process = stack.enter_context(_bytewax(python, contract, batches, odd, job))
            found[name] = json.loads(process.stdout.readline())
            tasks[name] = partial(_bytewax_seconds, process)
        _require_alike(found)
        seconds: dict[str, list[float]] = {name: [] for name in tasks}
        stages = []
        for number in range(options.rounds):
            for name, task in tasks.items():
                seconds[name].append(task())
            stages.append(ours.stages(batches))
            status.update(f"round {number + 1} of {options.rounds}")
    return Measured(seconds, stages, found[_OURS])


def _seconds(
    batch: Callable[[Sequence[bytes]], object], batches: Sequence[Sequence[bytes]]
) -> float:
    began = time.process_time()
    for bodies in batches:
        batch(bodies)
    return time.process_time() - began


def _result(measured: Measured, payments: int, elapsed: float) -> Result:
    seconds, _, found = measured
    rows: list[list[Cell]] = []
    for name, taken in seconds.items():
        median = statistics.median(taken)
        rows.append([name, round(payments / median), median / payments * 1e6])
    ratios = []
    for name, goal in ((_BYTEWAX, LEAST_OF_BYTEWAX), (_STEPS, None), (_PLAIN, None)):
        if name in seconds:
            rounds = [
                theirs / own for theirs, own in zip(seconds[name], seconds[_OURS], strict=True)
            ]
            ratio = Ratio(f"payments/s, of {name}", *spread(rounds), goal)
            remark = "" if ratio.met else f"the product's time goes into {_dearest(measured)}"
            ratios.append(msgspec.structs.replace(ratio, remark=remark))
    return Result(
        benchmark="compute",
        title=f"Messages to rows without a database, {payments:,} payments, 30 rules",
        columns=("", "payments/s, one core", "CPU, µs/payment"),
        rows=rows,
        ratios=ratios,
        seconds=elapsed,
        machine=machine(),
        remarks=(
            f"All found the same {found['payments']:,} payments and {found['matches']:,} matches.",
            f"Odd events among them, of which all refused the same {found['rejected']}.",
            *([] if _BYTEWAX in seconds else [_LEFT_OUT]),
        ),
    )


def _stages(measured: Measured, payments: int, elapsed: float) -> Result:
    return Result(
        benchmark="compute",
        title="Where the product's time goes from messages to rows",
        columns=("", "CPU, µs/payment"),
        rows=[[name, found / payments * 1e6] for name, found in _medians(measured).items()],
        ratios=[],
        seconds=elapsed,
        machine=machine(),
    )


def _medians(measured: Measured) -> dict[str, float]:
    return {
        name: statistics.median(each[name] for each in measured.stages)
        for name in measured.stages[0]
    }


def _dearest(measured: Measured) -> str:
    medians = _medians(measured)
    name = max(medians, key=medians.__getitem__)
    return f"{name} ({medians[name] / sum(medians.values()):.0%}) before all"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its tables; exit code 1 if the goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.compute", description=__doc__)
    parser.add_argument("--batches", type=int, default=10, help="of 1,000 payments (10)")
    parser.add_argument("--rounds", type=int, default=12, help="over all of them (12)")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    measured = _measure(options, workload.recent())
    payments = options.batches * BATCH
    elapsed = time.perf_counter() - began
    tables = [_result(measured, payments, elapsed), _stages(measured, payments, elapsed)]
    return conclude(tables, options.json)


if __name__ == "__main__":
    sys.exit(main())
