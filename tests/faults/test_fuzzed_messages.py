"""Whatever arrives, nothing crashes, no neighbour is lost, and every event is accounted for."""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from fault_report import FaultCount
from fuzzing import BATCH_MESSAGES, Fuzzer
from store_fixtures import Store

from shared_code.domain.decoding import Message, Origin

SHORT, FULL = 4_000, 1_000_000
WORKERS = 2


class Counted(NamedTuple):
    """What one worker sent, and what the engine said of it."""

    sent: int
    stored: int
    duplicates: int
    rejected: int
    good: int


def fuzz(url: str, seed: int, messages: int, moment: datetime, evidence: Path) -> Counted:
    """Send fuzzed batches through an engine of its own; a batch at fault is written down."""
    store = Store(url)
    fuzzer = Fuzzer(seed, moment)
    sent = stored = duplicates = rejected = 0
    try:
        for number in range(messages // BATCH_MESSAGES):
            batch = fuzzer.batch()
            origins = (
                Origin("fuzz", "payments", str(seed), number * BATCH_MESSAGES + at)
                for at in range(BATCH_MESSAGES)
            )
            bodies = [
                Message(origin, body) for origin, body in zip(origins, batch.bodies, strict=True)
            ]
            evidence.write_text("\n".join(map(repr, batch.bodies)), "utf-8")
            result = store.metrics.process_batch(bodies, now=moment)
            accounted = result.stored + result.duplicates + result.rejected
            assert accounted == batch.events, f"seed {seed}, batch {number}: {evidence}"
            assert result.stored >= len(batch.good), f"seed {seed}, batch {number}: {evidence}"
            sent += batch.events
            stored += result.stored
            duplicates += result.duplicates
            rejected += result.rejected
        return Counted(sent, stored, duplicates, rejected, batch.good.stop)
    finally:
        store.close()


def test_a_million_messages_gone_wrong_harm_nothing(
    store: Store, *, full: bool, record: Callable[[FaultCount], None], tmp_path: Path
) -> None:
    moment = datetime.now(UTC)
    messages = FULL if full else SHORT
    first_seed = int(os.environ.get("FUZZ_SEED", "1"))
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        runs = [
            pool.submit(
                fuzz, store.url, seed, messages // WORKERS, moment, tmp_path / f"{seed}.txt"
            )
            for seed in range(first_seed, first_seed + WORKERS)
        ]
        counted = [run.result() for run in runs]
    sent = sum(each.sent for each in counted)
    stored = store.value("SELECT count(*) FROM payments")
    rejected = store.value("SELECT count(*) FROM rejected_events")
    assert stored == sum(each.stored for each in counted)
    assert rejected == sum(each.rejected for each in counted)
    unharmed = store.value(
        "SELECT count(*) FROM payments WHERE transaction_id LIKE 'good-%'"
        " AND amount = split_part(transaction_id, '-', 3)::numeric % 100000 + 0.25"
        " AND customer_id = 'c-' || split_part(transaction_id, '-', 3)::int % 97"
    )
    assert unharmed == sum(each.good for each in counted)
    duplicates = sum(each.duplicates for each in counted)
    record(
        FaultCount(
            fault="fuzzed messages",
            times=messages,
            sent=sent - duplicates,
            stored=stored,
            rejected=rejected,
            lost=sent - duplicates - stored - rejected,
            doubled=0,
        )
    )
