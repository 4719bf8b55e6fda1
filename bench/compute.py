"""From messages to rows ready for COPY, without a database: the product beside its peers.

Decode, check against the contract, normalise, judge by thirty rules, write rows. The same messages
go through the product's own code, a plain loop of Python, and Bytewax in an environment of its own,
turn and turn about in one run; all three have to find the same payments and the same matches.
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
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console

from bench import workload
from bench.compute_environment import bytewax_python
from bench.compute_peer import described, description, match_text, payment_text
from bench.compute_peer_rules import COLUMNS
from bench.compute_plain import PlainLoop
from bench.compute_rules import thirty_rules
from bench.report import Cell, Ratio, Result, add_arguments, conclude, machine, spread
from bench.throwaway import KEY, ROOT
from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.decoding import DecodedBatch, Message, Origin, decode_batch
from shared_code.domain.horizon import Horizon, horizon_at
from shared_code.domain.pseudonyms import Pseudonymiser
from shared_code.domain.vocabularies import CARD_METHODS
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
_OURS, _PLAIN, _BYTEWAX = "payment-metrics", "plain Python loop", "Bytewax"
_MISSED: Final = (
    "Both read by msgspec; where the product works by columns, from judging on, it is many times as"
    " fast, and where it works payment by payment, in normalising, it is not."
)
_LEFT_OUT: Final = (
    "Bytewax was left out: it has no wheel for this Python, and no Python 3.12 or 3.11 was found."
)


class Ours:
    """The product's own way from messages to rows."""

    def __init__(self, horizon: Horizon) -> None:
        self._horizon = horizon
        self._pseudonymiser = Pseudonymiser(bytes.fromhex(KEY))
        self._rules = compile_document(thirty_rules())

    def judged(self, bodies: Sequence[bytes]) -> tuple[DecodedBatch, Columns, list[Matches]]:
        """Decode a batch and judge it."""
        messages = [
            Message(Origin("bench", "payments", "0", number), body)
            for number, body in enumerate(bodies)
        ]
        decoded = decode_batch(messages, self._pseudonymiser, self._horizon)
        decoded.payments.sort(key=lambda placed: placed.accepted.payment.identity)
        columns = columns_of([placed.accepted for placed in decoded.payments])
        return decoded, columns, list(self._rules.matches(columns))

    def rows(self, bodies: Sequence[bytes]) -> tuple[bytes, bytes]:
        """Return the rows of payments and of metrics, ready for COPY."""
        decoded, columns, matches = self.judged(bodies)
        accepted = [placed.accepted for placed in decoded.payments]
        payments = payment_rows(
            columns,
            content_hashes=[each.content_hash for each in accepted],
            metadata=[each.metadata for each in accepted],
            rule_set=RULE_SET,
            enqueued_at=None,
        )
        return payments, metric_rows(columns, matches, RULE_SET)

    def described(self, batches: Sequence[Sequence[bytes]]) -> dict[str, Any]:
        """Return what batches come to, as the peers describe it."""
        payments: list[str] = []
        matches: list[str] = []
        rejected: list[str] = []
        for bodies in batches:
            decoded, columns, found = self.judged(bodies)
            rows = list(zip(*(columns.values(name) for name in COLUMNS), strict=True))
            payments += [
                payment_text(row, placed.accepted.metadata)
                for row, placed in zip(rows, decoded.payments, strict=True)
            ]
            matches += [
                match_text(rows[row], match.rule, match.outcome, value)
                for match in found
                for row, value in zip(match.rows, match.values, strict=True)
            ]
            rejected += [event.reason.name for event in decoded.rejected]
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
    python: Path, contract: dict[str, Any], batches: Sequence[Sequence[bytes]]
) -> Iterator[Any]:
    """Run the Bytewax job and yield its process; its first line says what it found."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        given = {
            "contract": contract,
            "rules": json.loads(thirty_rules()),
            "batches": [[base64.b64encode(body).decode() for body in each] for each in batches],
        }
        json.dump(given, file)
        file.flush()
        command = [str(python), "-m", "bench.bytewax_job", file.name]
        with subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            yield process
            process.stdin.close()  # type: ignore[union-attr]


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


def _measure(
    options: argparse.Namespace, end: datetime
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Return the seconds of each contestant for each round, and what they all found."""
    horizon = horizon_at(end, timedelta(days=30))
    contract = _contract(horizon)
    batches = [workload.bodies(BATCH, seed, end) for seed in range(options.batches)]
    ours = Ours(horizon)
    plain = PlainLoop(contract, json.loads(thirty_rules()), RULE_SET)
    python = bytewax_python()
    found = {
        _OURS: ours.described(batches),
        _PLAIN: described(plain.batch(bodies) for bodies in batches),
    }
    with ExitStack() as stack:
        status = stack.enter_context(Console().status("starting"))
        tasks: dict[str, Callable[[], float]] = {
            _OURS: lambda: _seconds(ours.rows, batches),
            _PLAIN: lambda: _seconds(plain.batch, batches),
        }
        if python is not None:
            process = stack.enter_context(_bytewax(python, contract, batches))
            found[_BYTEWAX] = json.loads(process.stdout.readline())
            tasks[_BYTEWAX] = lambda: _bytewax_seconds(process)
        seconds: dict[str, list[float]] = {name: [] for name in tasks}
        for number in range(options.rounds):
            for name, task in tasks.items():
                seconds[name].append(task())
            status.update(f"round {number + 1} of {options.rounds}")
    _require_alike(found)
    return seconds, found[_OURS]


def _seconds(
    batch: Callable[[Sequence[bytes]], object], batches: Sequence[Sequence[bytes]]
) -> float:
    began = time.perf_counter()
    for bodies in batches:
        batch(bodies)
    return time.perf_counter() - began


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table; exit code 1 if the goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.compute", description=__doc__)
    parser.add_argument("--batches", type=int, default=10, help="of 1,000 payments (10)")
    parser.add_argument("--rounds", type=int, default=12, help="over all of them (12)")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    seconds, found = _measure(options, workload.recent())
    payments = options.batches * BATCH
    rows: list[list[Cell]] = []
    for name, taken in seconds.items():
        median = statistics.median(taken)
        rows.append([name, round(payments / median), median / payments * 1e6])
    ratios = []
    for name, goal in ((_BYTEWAX, LEAST_OF_BYTEWAX), (_PLAIN, None)):
        if name in seconds:
            rounds = [
                theirs / own for theirs, own in zip(seconds[name], seconds[_OURS], strict=True)
            ]
            ratio = Ratio(f"payments/s, of {name}", *spread(rounds), goal)
            ratios.append(ratio if ratio.met else msgspec.structs.replace(ratio, remark=_MISSED))
    result = Result(
        benchmark="compute",
        title=f"Messages to rows without a database, {payments:,} payments, 30 rules",
        columns=("", "payments/s, one core", "µs/payment"),
        rows=rows,
        ratios=ratios,
        seconds=time.perf_counter() - began,
        machine=machine(),
        remarks=(
            f"All found the same {found['payments']:,} payments and {found['matches']:,} matches.",
            *([] if _BYTEWAX in seconds else [_LEFT_OUT]),
        ),
    )
    return conclude([result], options.json)


if __name__ == "__main__":
    sys.exit(main())
