"""Seconds and memory to close one five-minute window, by its payments, and where they go.

The payments are made in the database. Each window is closed in a process of its own, so that the
memory measured is what closing it takes; what came before in its day is what velocity rules look
back on.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from rich.progress import track
from sqlalchemy import text

from bench.report import Ratio, Result, add_arguments, conclude, machine, spread
from bench.streamed_counters import count_payments
from bench.throwaway import KEY, database_url, engine_on
from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.vocabularies import PaymentMethod, PaymentStatus
from shared_code.domain.windows import WINDOW_LENGTH, Window, window_start, windows_between
from shared_code.engine import aggregation, window_judging
from shared_code.engine.metric_engine import SHIPPED_RULES, MetricEngine
from shared_code.rules.compiler import canonical_content
from shared_code.settings import load_settings
from shared_code.store.look_back import INDEXED, replace_blocks
from shared_code.store.partitions import attach_days
from shared_code.store.rule_store import activate
from shared_code.store.subject_history import payments_between

SECONDS_GOAL: Final = 5
MEGABYTES_GOAL: Final = 500
SIZES: Final = (10_000, 100_000, 1_000_000)
# A window and its day at half a million payments a day.
SMALL: Final = 2_083
CUSTOMERS: Final = 100_000
_RULES: Final = ("window rules", "shipped rules")
# What is timed, by the module that calls it; what is left of the whole is writing.
_STAGES: Final = {
    "payments_between": ("reading", aggregation),
    "figures_of": ("figures", aggregation),
    "replace_blocks": ("blocks", aggregation),
    "subject_history": ("looking back", window_judging),
    "judge": ("rules", window_judging),
    "cluster_window": ("clusters", aggregation),
}
_STAGE_NAMES: Final = tuple(stage for stage, _ in _STAGES.values())
_METHODS: Final = [PaymentMethod.credit_card, PaymentMethod.debit_card, PaymentMethod.bank_transfer]
_CURRENCIES: Final = ("USD", "EUR", "GBP", "JPY")
# One payment in fifty is a refund that names one before it; amounts are log-normal. Ids look like
# those of events. A customer has ten payments in a window of a million.
_MAKE: Final = text("""
    INSERT INTO normalized_transactions
        (event_time, transaction_id, payment_status, payment_method, currency, quality_flags,
         rule_set, amount, content_hash, customer_id, customer_country, customer_email_domain,
         merchant_id, merchant_country, merchant_category, merchant_mcc, card_brand, card_bin,
         card_fingerprint, channel, device_type, counterparty_id, counterparty_country,
         original_transaction_id)
    SELECT CAST(:start AS timestamptz) + number * CAST(:step AS interval),
           md5(:name || number),
           CASE WHEN number % 50 = 0 THEN :refunded WHEN luck < 0.05 THEN :failed
                ELSE :completed END,
           (CAST(:methods AS smallint[]))[1 + number % 3],
           (CAST(:currencies AS smallint[]))[1 + customer % 4], 0, 1,
           round(CAST(exp(3.5 + 1.2 * sqrt(-2 * ln(1 - luck)) * cos(6.2831853 * chance))
                      AS numeric), CASE WHEN customer % 4 = 3 THEN 0 ELSE 2 END),
           CAST(decode(md5(number::text), 'hex') AS bytea),
           'customer-' || customer, 276, 'example.com', 'merchant-' || merchant,
           CASE WHEN luck < 0.15 THEN 840 ELSE 276 END, 'retail', 5411,
           CASE WHEN number % 3 < 2 THEN 'visa' END, CASE WHEN number % 3 < 2 THEN '411111' END,
           CASE WHEN number % 3 < 2 THEN 'card-' || customer END, 1 + number % 3, 1 + number % 2,
           CASE WHEN number % 3 = 2 THEN 'account-' || customer * 7 % 50000 END,
           CASE WHEN number % 3 = 2 THEN 276 END,
           CASE WHEN number % 50 = 0 THEN md5(:name || greatest(number - 1 - merchant, 0)) END
    FROM (
        SELECT number, luck, chance, CAST(floor(who * :customers) AS integer) AS customer,
               CAST(floor(whom * 3000) AS integer) AS merchant
        FROM (
            SELECT number, random() AS luck, random() AS chance, random() AS who, random() AS whom
            FROM generate_series(0, :count - 1) AS number
        ) AS lots
    ) AS drawn
""")


def _make(engine: MetricEngine, span: Window, count: int, customers: int) -> None:
    """Store payments evenly over a span, and the counters that they would have come with."""
    with engine.database.transaction() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        attach_days(connection, span.start.date(), span.end.date())
        connection.execute(text("SELECT setseed(0.5)"))
        parameters = {
            "start": span.start,
            "step": (span.end - span.start) / count,
            "name": span.start.isoformat(),
            "count": count,
            "customers": customers,
            "refunded": int(PaymentStatus.refunded),
            "failed": int(PaymentStatus.failed),
            "completed": int(PaymentStatus.completed),
            "methods": [int(method) for method in _METHODS],
            "currencies": [CURRENCIES[code].number for code in _CURRENCIES],
        }
        connection.execute(_MAKE, parameters)
        count_payments(connection, span)


class Closed(msgspec.Struct, frozen=True):
    """What closing one window took: seconds in all and by stage, and memory in megabytes.

    ``cpu`` are the seconds that the process computed; the rest is the database's, and waiting.
    """

    seconds: float
    cpu: float
    stages: dict[str, float]
    megabytes: float


def _close(start: datetime) -> Closed:
    """Close a marked window in this process and tell what that took."""
    engine = MetricEngine(load_settings())
    # A worker has closed windows before: libraries are loaded, plans of statements are made.
    _mark(engine, start - WINDOW_LENGTH)
    engine.aggregate()
    stages: dict[str, float] = defaultdict(float)
    for name, (stage, module) in _STAGES.items():
        setattr(module, name, _timed(getattr(module, name), stage, stages))
    whole: dict[str, float] = defaultdict(float)
    closing = aggregation.Aggregator
    setattr(closing, "_close", _timed(getattr(closing, "_close"), "whole", whole))  # noqa: B009, B010
    _mark(engine, start)
    before, computed = _peak_megabytes(), time.process_time()
    engine.aggregate()
    computed = time.process_time() - computed
    # Rules wait for history.
    stages["rules"] -= stages["looking back"]
    return Closed(whole["whole"], computed, dict(stages), _peak_megabytes() - before)


def _timed(function: Callable[..., Any], stage: str, seconds: dict[str, float]) -> Any:
    def timed(*arguments: Any, **options: Any) -> Any:
        began = time.perf_counter()
        found = function(*arguments, **options)
        # Generators do their work when they are read.
        if not hasattr(found, "__len__") and hasattr(found, "__next__"):
            found = list(found)
        seconds[stage] += time.perf_counter() - began
        return found

    return timed


def _mark(engine: MetricEngine, start: datetime) -> None:
    with engine.database.transaction() as connection:
        connection.execute(
            text("INSERT INTO window_marks (window_start) VALUES (:start)"), {"start": start}
        )


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _closed_elsewhere(start: datetime) -> Closed:
    """Close a window in a process of its own."""
    command = [sys.executable, "-m", "bench.aggregate", "--close", start.isoformat()]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return msgspec.json.decode(done.stdout, type=Closed)


def _activate(engine: MetricEngine, rules: str, number: int) -> None:
    """Let the shipped rules judge, all of them or those of windows alone."""
    document = json.loads(SHIPPED_RULES.read_bytes())
    document.pop("based_on", None)
    document["version"] = f"{1001 + number}.0.0"
    if rules == "window rules":
        document["rules"] = [rule for rule in document["rules"] if rule["scope"] == "window"]
    with engine.database.transaction() as connection:
        content = canonical_content(json.dumps(document).encode())
        activate(connection, content, by="bench", reason="benchmark")


def _leave_blocks(engine: MetricEngine, span: Window) -> None:
    """Leave the blocks that closing the windows of a span would have left."""
    with engine.database.transaction("REPEATABLE READ") as connection:
        for window in windows_between(*span):
            columns = payments_between(connection, window, {*INDEXED, "event_time"})
            replace_blocks(connection, window, columns)


def _row(name: str, rules: str, closed: Closed) -> list[str | int | float]:
    stages = [closed.stages.get(stage, 0.0) for stage in _STAGE_NAMES]
    writing = closed.seconds - sum(stages)
    return [name, rules, closed.seconds, closed.cpu, *stages, writing, closed.megabytes]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(prog="python -m bench.aggregate", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="payments of windows")
    parser.add_argument("--day", type=int, default=600_000, help="payments of a day (600,000)")
    parser.add_argument("--rounds", type=int, default=1, help="how often each is closed (1)")
    parser.add_argument("--close", type=datetime.fromisoformat, help=argparse.SUPPRESS)
    add_arguments(parser)
    options = parser.parse_args(arguments)
    if options.close is not None:
        sys.stdout.buffer.write(msgspec.json.encode(_close(options.close)))
        return 0
    with database_url() as url:
        began = time.perf_counter()
        engine = engine_on(url)
        # Of the processes that close windows.
        os.environ |= {
            "DATABASE_URL": url,
            "PII_HASH_KEY": KEY,
            "DATABASE_STATEMENT_TIMEOUT_SECONDS": "540",
        }
        # In the order of event time: payments before a closed window would be late there.
        results = [_by_day(engine, options.day), _by_size(engine, options.sizes, options.rounds)]
        engine.database.engine.dispose()
        seconds = time.perf_counter() - began
    return conclude(
        [msgspec.structs.replace(each, seconds=seconds) for each in results], options.json
    )


def _by_size(engine: MetricEngine, sizes: Sequence[int], rounds: int) -> Result:
    """Close windows of several sizes, with nothing before them."""
    turns = [(size, rules) for _ in range(rounds) for size in sorted(sizes) for rules in _RULES]
    # So far apart that none is in the day before another.
    latest = window_start(datetime.now(UTC)) - timedelta(days=1)
    starts = [latest - timedelta(hours=30 * at) for at in reversed(range(len(turns)))]
    for (size, _), start in track(
        list(zip(turns, starts, strict=True)), description="making payments"
    ):
        _make(engine, Window(start - WINDOW_LENGTH, start), SMALL, CUSTOMERS)
        _make(engine, Window(start, start + WINDOW_LENGTH), size, CUSTOMERS)
    _analyse(engine)
    found: dict[tuple[int, str], list[Closed]] = defaultdict(list)
    for number, (turn, start) in enumerate(
        track(list(zip(turns, starts, strict=True)), description="closing windows")
    ):
        _activate(engine, turn[1], 1 + number)
        found[turn].append(_closed_elsewhere(start))
    largest = max(sizes)
    ratios = []
    for rules in _RULES:
        seconds = spread([closed.seconds for closed in found[largest, rules]])
        memory = spread([closed.megabytes for closed in found[largest, rules]])
        name = f"{largest:,} payments, {rules}"
        ratios += [
            Ratio(f"{name}, seconds", *seconds, goal=SECONDS_GOAL, bound="at most"),
            Ratio(f"{name}, MB", *memory, goal=MEGABYTES_GOAL, bound="at most"),
        ]
    rows = [
        _row(f"{size:,}", rules, min(found[size, rules], key=lambda each: each.seconds))
        for size in sizes
        for rules in _RULES
    ]
    return _result(engine, "Closing a window of so many payments: seconds and MB", rows, ratios)


def _by_day(engine: MetricEngine, payments: int) -> Result:
    """Close a small window at the end of a busy day, without blocks and with them."""
    start = window_start(datetime.now(UTC)) - timedelta(days=20)
    again = start + timedelta(days=2)
    for last in (start, again):
        _make(engine, Window(last - timedelta(hours=23), last), payments, CUSTOMERS)
        _make(engine, Window(last, last + WINDOW_LENGTH), SMALL, CUSTOMERS)
    _analyse(engine)
    _activate(engine, "shipped rules", 0)
    without = _closed_elsewhere(start)
    _leave_blocks(engine, Window(again - timedelta(hours=23), again))
    by_blocks = _closed_elsewhere(again)
    name = f"{SMALL:,} of {payments:,}"
    rows = [_row(name, "day read through", without), _row(name, "day by blocks", by_blocks)]
    looking = [closed.stages["looking back"] for closed in (by_blocks, without)]
    ratio = Ratio("looking back by blocks over reading the day", *spread([looking[0] / looking[1]]))
    return _result(engine, "Closing a small window of a busy day: seconds and MB", rows, [ratio])


def _analyse(engine: MetricEngine) -> None:
    autocommit = engine.database.engine.execution_options(isolation_level="AUTOCOMMIT")
    with autocommit.connect() as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _result(
    engine: MetricEngine, title: str, rows: Sequence[Sequence[Any]], ratios: Sequence[Ratio]
) -> Result:
    with engine.database.transaction() as connection:
        version = connection.execute(text("SHOW server_version")).scalar_one()
    columns = ("payments", "rules", "whole", "CPU", *_STAGE_NAMES, "writing", "MB")
    return Result("aggregate", title, columns, rows, ratios, 0.0, machine(version))


if __name__ == "__main__":
    sys.exit(main())
