"""A back-fill leaves what the active rule set would have found all along, whenever it is killed."""

import os
import subprocess
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from payment_messages import (
    FIVE_MINUTES,
    NOW,
    WINDOW_START,
    messages,
    payment_event,
    varied_events,
)
from store_fixtures import ROOT, NewStore, Store
from unit.rules.rule_samples import comparison, document, rule, window_rule
from unit.rules.scope_samples import velocity_rule

from shared_code.cli import backfill as command
from shared_code.domain.windows import Window
from shared_code.engine.aggregation import LEASE_LENGTH, LEASE_NAME, BackfillStep, BehindHorizon
from shared_code.engine.backfill import Waiting, run_backfill
from shared_code.engine.spans import SpanNotEnded, whole_windows
from shared_code.rules.compiler import canonical_content
from shared_code.store.backfills import Backfill
from shared_code.store.leases import release_lease, take_lease
from shared_code.store.rule_store import activate, activate_again, start_shadow

WINDOWS = 12
SPAN = Window(WINDOW_START, WINDOW_START + WINDOWS * FIVE_MINUTES)
WORKER = Path(__file__).with_name("backfill_worker.py")

OUTCOMES = "SELECT to_jsonb(outcome) FROM payment_outcomes AS outcome ORDER BY 1"
VALUES = "SELECT to_jsonb(found) - 'revision' FROM rule_values AS found ORDER BY 1"
ALERTS = """
    SELECT to_jsonb(alert) - 'raised_at' - 'alert_id' FROM open_alerts AS alert ORDER BY 1
"""


def rules_of_version(version: str, threshold: int = 500, **changes: Any) -> bytes:
    content = document(
        rule(
            "large",
            when=comparison("amount", "gte", threshold),
            value={"field": "amount"},
            metric={"name": "large", "type": "amount"},
        ),
        rule("abroad", when=comparison("merchant.country", "ne", "DE")),
        window_rule("busy", group_by=["payment_method"], alert={"operator": "gte", "value": 4}),
        velocity_rule("rapid", alert={"operator": "gte", "value": 3, "cooldown_minutes": 30}),
        version=version,
        **changes,
    )
    return canonical_content(content)


def put_in_force(store: Store, content: bytes) -> None:
    with store.connection() as connection:
        activate(connection, content, by="a test", reason="a test")


def deliver(store: Store, prefix: str = "txn") -> None:
    store.metrics.process_batch(
        messages(*varied_events(120, prefix=prefix, windows=WINDOWS)), now=NOW
    )


def found_in(store: Store) -> Sequence[Any]:
    return [store.rows(query) for query in (OUTCOMES, VALUES, ALERTS)]


def backfilled(store: Store, **options: Any) -> tuple[Backfill, list[Any]]:
    steps: list[Any] = []
    aggregator = store.metrics._aggregator
    done = run_backfill(aggregator, SPAN, by="a test", watch=steps.append, **options)
    return done, [step for step in steps if isinstance(step, Waiting) or step.closed is not None]


@pytest.fixture(scope="module")
def expected(new_store: NewStore) -> Sequence[Any]:
    """What is found if the second version judges payments as they come."""
    with new_store() as store:
        put_in_force(store, rules_of_version("2.0.0", threshold=100))
        deliver(store)
        store.metrics.aggregate(NOW)
        return found_in(store)


@pytest.fixture
def judged_by_the_first(store: Store) -> Store:
    """A store whose payments were judged by the first version; the second one is active."""
    put_in_force(store, rules_of_version("1.0.0"))
    deliver(store)
    store.metrics.aggregate(NOW)
    put_in_force(store, rules_of_version("2.0.0", threshold=100))
    return store


def test_everything_is_found_that_the_active_rules_would_have_found(
    judged_by_the_first: Store, expected: Sequence[Any]
) -> None:
    assert all(expected)
    assert found_in(judged_by_the_first)[:2] != expected[:2]
    done, steps = backfilled(judged_by_the_first)
    assert done.finished
    assert len(steps) == WINDOWS
    found = found_in(judged_by_the_first)
    assert found[:2] == expected[:2]
    assert [row[0]["first_seen"] for row in found[2]] == [
        row[0]["first_seen"] for row in expected[2]
    ]


def test_an_engine_asked_for_a_span_does_the_same(
    judged_by_the_first: Store, expected: Sequence[Any]
) -> None:
    judged_by_the_first.metrics.process_time_window(*SPAN)
    assert found_in(judged_by_the_first)[:2] == expected[:2]


def test_what_is_finished_is_done_once_more_only_if_asked(judged_by_the_first: Store) -> None:
    first, _ = backfilled(judged_by_the_first)
    again, steps = backfilled(judged_by_the_first)
    assert (again.backfill_id, steps) == (first.backfill_id, [])
    asked, steps = backfilled(judged_by_the_first, again=True)
    assert asked.backfill_id > first.backfill_id
    assert len(steps) == WINDOWS


def worker_killed_after(store: Store, windows: int) -> None:
    arguments = [sys.executable, WORKER, store.url, *(each.isoformat() for each in SPAN)]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    with subprocess.Popen(
        arguments, cwd=ROOT, env=os.environ | {"PYTHONPATH": paths}, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        for _ in range(windows):
            assert process.stdout.readline()
        process.kill()
        process.stdout.read()
    # The lease of a dead instance expires.
    store.execute("UPDATE leases SET until = clock_timestamp() - interval '1 second'")


def test_a_killed_one_goes_on_where_it_was(
    judged_by_the_first: Store, expected: Sequence[Any]
) -> None:
    worker_killed_after(judged_by_the_first, 3)
    before = judged_by_the_first.value("SELECT next_window FROM backfills")
    assert SPAN.start + 3 * FIVE_MINUTES <= before <= SPAN.end
    done, steps = backfilled(judged_by_the_first)
    assert done.started_by == "a worker"
    assert [step.closed.window.start for step in steps] == [
        before + at * FIVE_MINUTES for at in range(len(steps))
    ]
    assert steps[-1].closed.window.end == SPAN.end
    assert found_in(judged_by_the_first)[:2] == expected[:2]
    assert judged_by_the_first.rows("SELECT DISTINCT max(revision) FROM window_revisions") == [(2,)]


def test_under_another_rule_set_it_starts_afresh(judged_by_the_first: Store) -> None:
    store = judged_by_the_first
    steps: list[BackfillStep] = []

    def watch(step: Any) -> None:
        steps.append(step)
        if len(steps) == 4:
            put_in_force(store, rules_of_version("3.0.0", threshold=900))

    done = run_backfill(store.metrics._aggregator, SPAN, by="a test", watch=watch)
    versions = [step.rule_set_version for step in steps if step.closed is not None]
    assert versions == ["2.0.0"] * 4 + ["3.0.0"] * WINDOWS
    assert done.first_window == SPAN.start
    found = store.rows("SELECT DISTINCT rule_set_version FROM payment_outcomes")
    assert found == [("3.0.0",)]


def test_after_a_rollback_what_another_rule_set_overtook_is_done_once_more(
    judged_by_the_first: Store, expected: Sequence[Any]
) -> None:
    store = judged_by_the_first
    backfilled(store)
    put_in_force(store, rules_of_version("3.0.0", threshold=900))
    part = Window(SPAN.start + 5 * FIVE_MINUTES, SPAN.start + 7 * FIVE_MINUTES)
    run_backfill(store.metrics._aggregator, part, by="a test")
    with store.connection() as connection:
        activate_again(connection, "2.0.0", by="a test", reason="a test")
    _, steps = backfilled(store)
    assert len(steps) == WINDOWS
    assert found_in(store)[:2] == expected[:2]
    assert backfilled(store)[1] == []


def test_payments_that_arrive_meanwhile_keep_their_own_metrics_and_none_has_two(
    judged_by_the_first: Store,
) -> None:
    store = judged_by_the_first
    put_in_force(store, canonical_content(document(rule("every"), version="2.1.0")))
    writer, stop = store.engine(), threading.Event()
    sent = 0

    def write() -> None:
        nonlocal sent
        while not stop.is_set():
            events = varied_events(24, prefix=f"late-{sent}", windows=WINDOWS)
            writer.process_batch(messages(events), now=NOW)
            sent += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(2):
            backfilled(store, again=True)
    finally:
        stop.set()
        thread.join()
    assert sent > 2
    counts = store.rows("""
        SELECT count(metric.rule), count(*)
        FROM normalized_transactions AS payment
        LEFT JOIN dynamic_metrics AS metric USING (event_time, transaction_id, payment_status)
        GROUP BY payment.event_time, payment.transaction_id, payment.payment_status
    """)
    assert set(counts) == {(1, 1)}
    assert len(counts) == 120 + 24 * sent
    assert store.value("SELECT count(*) FROM alerts WHERE kind = 'drift'") == 0


def test_metrics_of_a_shadow_stand(store: Store) -> None:
    put_in_force(store, rules_of_version("1.0.0"))
    with store.connection() as connection:
        shadow = canonical_content(document(rule("looks_on"), version="9.0.0"))
        start_shadow(connection, shadow, by="a test", reason="a test")
    deliver(store)
    backfilled(store)
    shadows = "SELECT rule_id, count(*) FROM payment_outcomes WHERE shadow GROUP BY rule_id"
    assert store.rows(shadows) == [("looks_on", 120)]


def test_it_waits_for_another_instance_and_says_so_once(
    judged_by_the_first: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = judged_by_the_first
    monkeypatch.setattr("shared_code.engine.backfill._RETRY_SECONDS", 0.01)
    with store.connection() as connection:
        lease = take_lease(connection, LEASE_NAME, "another", LEASE_LENGTH)
    assert lease is not None

    def let_go() -> None:
        with store.connection() as connection:
            release_lease(connection, lease)

    timer = threading.Timer(0.2, let_go)
    timer.start()
    _, steps = backfilled(store)
    timer.join()
    assert steps[0] == Waiting()
    assert len(steps) == 1 + WINDOWS


def test_live_windows_are_closed_in_between(
    judged_by_the_first: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared_code.engine.backfill._TICK_SECONDS", 0.0)
    judged_by_the_first.metrics.process_batch(
        messages(payment_event("live", event_time=SPAN.end)), now=NOW
    )
    backfilled(judged_by_the_first)
    closed = "SELECT count(*) FROM window_revisions WHERE window_start = :start"
    assert judged_by_the_first.value(closed, start=SPAN.end) == 1


def test_nothing_is_begun_whose_payments_are_not_all_kept(store: Store) -> None:
    behind = Window(SPAN.start - timedelta(days=400), SPAN.end)
    with pytest.raises(BehindHorizon):
        run_backfill(store.metrics._aggregator, behind, by="a test")
    assert store.value("SELECT count(*) FROM backfills") == 0


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (NOW, NOW),
        (NOW, NOW - FIVE_MINUTES),
        (WINDOW_START, NOW + timedelta(seconds=1)),
        (WINDOW_START, NOW + timedelta(minutes=3)),
        (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_only_spans_that_have_ended_are_windows(start: Any, end: Any) -> None:
    with pytest.raises(SpanNotEnded):
        whole_windows(start, end, NOW + timedelta(minutes=2))


def run_command(store: Store, *more: str) -> str:
    parser = ArgumentParser()
    command.add_command(parser.add_subparsers())
    span = ["--from", SPAN.start.isoformat(), "--to", SPAN.end.isoformat()]
    arguments = parser.parse_args(["backfill", *span, "--by", "ada", *more])
    said: str = arguments.run(arguments, store.database)
    return said


def test_the_command_says_what_it_did_and_whether_it_went_on(
    judged_by_the_first: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    worker_killed_after(judged_by_the_first, 2)
    done = judged_by_the_first.value(
        "SELECT extract(epoch FROM next_window - first_window)::int / 300 FROM backfills"
    )
    said = run_command(judged_by_the_first)
    assert said.startswith(f"{WINDOWS} windows stand under rule set version 2.0.0;")
    assert f"{WINDOWS - done} done now" in said
    resuming = f"resuming after {done} of {WINDOWS} windows under rule set version 2.0.0"
    assert capsys.readouterr().err == f"{resuming}, started by a worker\n"
    assert run_command(judged_by_the_first).startswith("nothing to do: finished under rule set")
    assert f"{WINDOWS} done now, 120 payments" in run_command(judged_by_the_first, "--again")
