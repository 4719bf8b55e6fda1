"""Payments per second, seconds and memory of a backtest over a million stored payments.

The payments are made in the database, of several thousand customers, cards and merchants. The
shipped rules run over them, with velocity and sequence rules beside. ``--back-fill`` has the
shipped rules judge them first, so that there is something to compare with.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from rich.console import Console
from sqlalchemy import text

from bench.report import Cell, Result, add_arguments, conclude, machine
from bench.streamed_counters import count_payments
from bench.throwaway import database_url, engine_on
from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.vocabularies import PaymentMethod, PaymentStatus
from shared_code.domain.windows import Window, window_start
from shared_code.engine.backtest import run_backtest
from shared_code.engine.metric_engine import SHIPPED_RULES, MetricEngine
from shared_code.rules.compiler import CompiledRules, canonical_content, compile_document
from shared_code.store.partitions import attach_days
from shared_code.store.rule_store import activate

CUSTOMERS: Final = 8_000
CARDS: Final = 9_000
MERCHANTS: Final = 3_000
_METHODS: Final = [PaymentMethod.credit_card, PaymentMethod.debit_card, PaymentMethod.bank_transfer]
_CURRENCIES: Final = ("USD", "EUR", "GBP", "JPY")
# One in fifty is a refund that names a payment of the last minutes; amounts are log-normal.
_MAKE: Final = text("""
    INSERT INTO normalized_transactions
        (event_time, transaction_id, payment_status, payment_method, currency, quality_flags,
         rule_set, amount, content_hash, customer_id, customer_country, merchant_id,
         merchant_country, merchant_category, card_fingerprint, card_bin, channel,
         original_transaction_id)
    SELECT CAST(:start AS timestamptz) + number * CAST(:step AS interval),
           'txn-' || number,
           CASE WHEN number % 50 = 0 THEN :refunded WHEN luck < 0.1 THEN :failed
                ELSE :completed END,
           (CAST(:methods AS smallint[]))[1 + number * 7 % 3],
           (CAST(:currencies AS smallint[]))[1 + customer % 4], 0, 1,
           round(CAST(exp(4 + 1.4 * sqrt(-2 * ln(1 - luck)) * cos(6.2831853 * chance)) AS numeric),
                 CASE WHEN customer % 4 = 3 THEN 0 ELSE 2 END),
           CAST(decode(md5(number::text), 'hex') AS bytea),
           'customer-' || customer, 276, 'merchant-' || merchant,
           CASE WHEN luck < 0.15 THEN 840 ELSE 276 END, 'retail',
           'card-' || customer * 9 % :cards, '411111', 1 + number % 3,
           CASE WHEN number % 50 = 0 THEN 'txn-' || greatest(number - 1 - merchant, 0) END
    FROM (
        SELECT number, luck, chance,
               CAST(floor(luck_of_customer * luck_of_customer * :customers) AS integer) AS customer,
               CAST(floor(luck_of_merchant * :merchants) AS integer) AS merchant
        FROM (
            SELECT number, random() AS luck, random() AS chance, random() AS luck_of_customer,
                   random() AS luck_of_merchant
            FROM generate_series(CAST(:first AS integer), CAST(:last AS integer)) AS number
        ) AS lots
    ) AS drawn
""")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(prog="python -m bench.backtest", description=__doc__)
    parser.add_argument("--payments", type=int, default=1_000_000, help="how many (1,000,000)")
    parser.add_argument("--hours", type=int, default=12, help="over how many hours (12)")
    parser.add_argument("--back-fill", action="store_true", help="back-fill them first")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    with Console().status("storing payments") as status, database_url() as url:
        engine = engine_on(url)
        with engine.database.transaction() as connection:
            version = connection.execute(text("SHOW server_version")).scalar_one()
        end = window_start(datetime.now(UTC)) - timedelta(hours=1)
        span = Window(end - timedelta(hours=options.hours), end)
        _make_payments(engine, span, options.payments)
        shipped = compile_document(_shipped_with(()))
        with engine.database.transaction() as connection:
            activate(connection, _shipped_with(()), by="bench", reason="benchmark")
        rows: list[list[Cell]] = []
        if options.back_fill:
            status.update("back-filling them")
            began = time.perf_counter()
            engine.process_time_window(*span)
            taken = time.perf_counter() - began
            rows.append(["back-fill", *_figures(shipped, options.payments, taken), None])
        rows.append(["before the backtest", None, None, None, round(_peak_megabytes())])

        status.update("testing rules on them")
        rules = _candidate()
        found = run_backtest(engine.database, rules, span)
        engine.database.engine.dispose()
    taken = found.elapsed.total_seconds()
    rows.append(["backtest", *_figures(rules, found.payments, taken), round(_peak_megabytes())])
    result = Result(
        benchmark="backtest",
        title=f"Rules over {found.payments:,} stored payments of {options.hours} h",
        columns=("", "rules", "seconds", "payments/s", "peak memory, MB"),
        rows=rows,
        ratios=[],
        seconds=time.perf_counter() - started,
        machine=machine(version),
    )
    return conclude([result], options.json)


def _figures(rules: CompiledRules, payments: int, seconds: float) -> list[Cell]:
    return [len(rules.document.rules), seconds, round(payments / seconds)]


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _make_payments(engine: MetricEngine, span: Window, count: int) -> None:
    """Store payments evenly over a span, and the counters that they would have come with."""
    with engine.database.transaction() as connection:
        attach_days(connection, span.start.date(), span.end.date())
        connection.execute(text("SELECT setseed(0.5)"))
    step = (span.end - span.start) / count
    for first in range(0, count, 100_000):
        with engine.database.transaction() as connection:
            connection.execute(
                _MAKE,
                {
                    "start": span.start,
                    "step": step,
                    "first": first,
                    "last": min(first + 100_000, count) - 1,
                    "customers": CUSTOMERS,
                    "cards": CARDS,
                    "merchants": MERCHANTS,
                    "refunded": int(PaymentStatus.refunded),
                    "failed": int(PaymentStatus.failed),
                    "completed": int(PaymentStatus.completed),
                    "methods": [int(method) for method in _METHODS],
                    "currencies": [CURRENCIES[code].number for code in _CURRENCIES],
                },
            )
    with engine.database.transaction() as connection:
        count_payments(connection, span)


def _shipped_with(rules: Sequence[dict[str, Any]]) -> bytes:
    """Return the shipped rules with more rules, as a version above that of other benchmarks."""
    document = json.loads(SHIPPED_RULES.read_bytes())
    more = {"version": "1000.0.0", "rules": [*document["rules"], *rules]}
    document.pop("based_on", None)
    return canonical_content(json.dumps(document | more).encode())


def _candidate() -> CompiledRules:
    """Return the shipped rules, and velocity and sequence rules that look back up to a day."""
    customers = {"scope": "velocity", "subject": "customer.id"}
    rules = [
        _rule(
            "hourly_count",
            **customers,
            within_minutes=60,
            measure={"function": "count"},
            alert={"operator": "gte", "value": 25, "cooldown_minutes": 60},
        ),
        _rule(
            "daily_cards",
            **customers,
            within_minutes=1440,
            measure={"function": "distinct_count", "field": "card.fingerprint"},
            alert={"operator": "gte", "value": 20},
        ),
        _rule(
            "travel",
            scope="sequence",
            subject="card.fingerprint",
            previous={
                "within_minutes": 30,
                "where": {
                    "field": "merchant.country",
                    "operator": "ne",
                    "value": {"field": "previous.merchant.country"},
                },
            },
        ),
        _rule(
            "excess_refund",
            scope="sequence",
            when={"field": "payment_status", "operator": "eq", "value": "refunded"},
            lookup={
                "within_minutes": 1440,
                "where": {
                    "field": "amount",
                    "operator": "gt",
                    "value": {"field": "original.amount"},
                },
            },
        ),
    ]
    return compile_document(_shipped_with(rules))


def _rule(name: str, **parts: Any) -> dict[str, Any]:
    return {
        "id": f"bench_{name}",
        "description": "Part of the benchmark.",
        "category": "bench",
        "severity": "low",
        "metric": {"name": f"bench_{name}", "type": "count"},
        **parts,
    }


if __name__ == "__main__":
    sys.exit(main())
