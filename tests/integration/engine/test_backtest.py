"""A backtest finds what the rules would have found, beside what stands, and writes nothing."""

import json
from argparse import ArgumentParser
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from payment_messages import FIVE_MINUTES, NOW, WINDOW_START, messages, payment_event, varied_events
from sqlalchemy import text
from sqlalchemy.exc import InternalError
from store_fixtures import Store
from unit.rules.rule_samples import comparison, document, rule, window_rule
from unit.rules.scope_samples import lookup_rule, score_rule, sequence_rule, velocity_rule

from shared_code.cli import backtest as command
from shared_code.domain.vocabularies import Severity
from shared_code.domain.windows import Window
from shared_code.engine.backtest import Backtest, chunks, run_backtest
from shared_code.engine.rule_tallies import AlertCounter, RuleTally
from shared_code.rules.compiler import canonical_content, compile_document
from shared_code.store.alerts import Alert
from shared_code.store.backtest_read import WindowSize, forbid_writing
from shared_code.store.rule_store import activate

WINDOWS = 12
SPAN = Window(WINDOW_START, WINDOW_START + WINDOWS * FIVE_MINUTES)
TOTALS = """
    SELECT (SELECT count(*) FROM dynamic_metrics), (SELECT count(*) FROM rule_metrics_5m),
           (SELECT count(*) FROM alerts), (SELECT count(*) FROM rule_sets),
           (SELECT count(*) FROM rule_set_activations), (SELECT count(*) FROM window_revisions)
"""


def rules_of(version: str, threshold: int = 300, **changes: Any) -> bytes:
    amount = {"metric": {"name": "large", "type": "amount"}, "value": {"field": "amount"}}
    content = document(
        rule(
            "large",
            when=comparison("amount", "gte", threshold),
            bands=[{"outcome": "huge", "at_least": 700, "reason": "far above"}],
            alert={"operator": "gte", "value": 900},
            **amount,
        ),
        rule(
            "in_euro",
            when=comparison("amount", "gte", 1, in_currency="EUR"),
            value={"field": "amount", "in_currency": "EUR"},
            metric={"name": "euro", "type": "amount"},
        ),
        rule("abroad", when=comparison("merchant.country", "ne", "DE")),
        window_rule("busy", group_by=["payment_method"], alert={"operator": "gte", "value": 4}),
        velocity_rule("rapid", alert={"operator": "gte", "value": 3, "cooldown_minutes": 10}),
        velocity_rule("crowd", within_minutes=20, alert={"operator": "gte", "value": 3}),
        sequence_rule("again", **amount),
        lookup_rule("refund"),
        score_rule("score", terms=[{"rule": "large", "points": 5}, {"rule": "rapid", "points": 5}]),
        rates={"base": "EUR", "as_of": "2026-01-02", "source": "a test", "per_base": {"JPY": 160}},
        version=version,
        **changes,
    )
    return canonical_content(content)


@pytest.fixture
def judged(store: Store) -> Store:
    """Payments of an hour, judged as they came and when their windows closed."""
    with store.connection() as connection:
        activate(connection, rules_of("1.0.0"), by="a test", reason="a test")
    refund = payment_event(
        "refund",
        event_time=WINDOW_START + timedelta(minutes=31),
        payment_status="refunded",
        amount="20.00",
        original_transaction_id="paid",
    )
    paid = payment_event("paid", amount="10.00", merchant={"id": "mer-1", "country": "FR"})
    events = [*varied_events(240, windows=WINDOWS), paid, refund]
    store.metrics.process_batch(messages(*events), now=NOW)
    store.metrics.aggregate(NOW)
    return store


def backtested(store: Store, content: bytes, **options: Any) -> Backtest:
    return run_backtest(store.database, compile_document(content), SPAN, **options)


def tallies_of(found: Backtest) -> dict[str, tuple[RuleTally | None, RuleTally | None]]:
    return {each.rule.id: (each.candidate, each.stored) for each in found.rules}


@pytest.mark.parametrize("most_payments", [50_000, 60, 1])
def test_the_rules_in_force_find_what_they_have_left(judged: Store, most_payments: int) -> None:
    found = backtested(judged, rules_of("1.0.0"), most_payments=most_payments)
    assert (found.payments, found.windows) == (242, WINDOWS)
    for rule_id, (candidate, stored) in tallies_of(found).items():
        assert candidate == stored, rule_id
        assert candidate is not None
        assert candidate.matched, rule_id
    large, _ = tallies_of(found)["large"]
    assert large is not None
    assert set(large.sums) == {"EUR", "JPY", "KWD"}
    assert large.outcomes["huge"]
    assert large.alerts
    euro, _ = tallies_of(found)["in_euro"]
    assert euro is not None
    assert set(euro.sums) == {"EUR"}
    assert euro.indeterminate == 80


def test_sums_are_those_of_the_payments_in_each_currency(judged: Store) -> None:
    large, _ = tallies_of(backtested(judged, rules_of("1.0.0")))["large"]
    assert large is not None
    expected = judged.rows("""
        SELECT currency, sum(amount) FROM payments WHERE amount >= 300 GROUP BY currency
    """)
    assert dict(large.sums) == dict(expected)


def test_a_candidate_stands_beside_what_is_stored(judged: Store) -> None:
    candidate = canonical_content(
        document(rule("large", when=comparison("amount", "gte", 900)), rule("new"), version="2.0.0")
    )
    found = tallies_of(backtested(judged, candidate))
    now, before = found["large"]
    assert now is not None
    assert before is not None
    assert 0 < now.matched < before.matched
    assert (now.sums, before.sums.keys()) == ({}, {"EUR", "JPY", "KWD"})
    new, nothing = found["new"]
    assert (new and new.matched, nothing) == (242, None)
    gone, left = found["busy"]
    assert gone is None
    assert left is not None
    assert left.alerts


def test_nothing_is_written(judged: Store) -> None:
    before = judged.rows(TOTALS)
    backtested(judged, rules_of("2.0.0", threshold=1))
    assert judged.rows(TOTALS) == before


def test_the_database_refuses_any_write_of_it(judged: Store) -> None:
    with judged.database.transaction("REPEATABLE READ") as connection:
        forbid_writing(connection)
        with pytest.raises(InternalError, match="read-only"):
            connection.execute(text("DELETE FROM alerts"))


def test_examples_are_bounded_and_counted_alerts_are_not(judged: Store) -> None:
    found = backtested(judged, rules_of("1.0.0"), examples=1)
    (crowd,) = (each for each in found.rules if each.rule.id == "crowd")
    assert crowd.candidate is not None
    assert crowd.candidate.alerts > 1
    assert len(crowd.examples) == 1


def size(window: int, payments: int) -> WindowSize:
    return WindowSize(WINDOW_START + window * FIVE_MINUTES, payments)


@pytest.mark.parametrize(
    ("sizes", "windows"),
    [
        ([], []),
        ([size(at, 5) for at in range(30)], [12, 12, 6]),
        ([size(0, 40), size(1, 60), size(2, 1)], [2, 1]),
        ([size(0, 500), size(1, 1), size(2, 99), size(3, 500)], [1, 2, 1]),
        ([size(0, 1), size(100, 1)], [1, 1]),
    ],
    ids=["nothing", "an hour each", "as many payments as may be", "large windows", "a gap"],
)
def test_chunks_are_whole_windows_of_bounded_size(
    sizes: list[WindowSize], windows: list[int]
) -> None:
    found = list(chunks(sizes, most_payments=100))
    assert [chunk.windows for chunk in found] == windows
    assert sum(chunk.payments for chunk in found) == sum(each.payment_count for each in sizes)


def test_an_episode_over_many_windows_counts_once() -> None:
    counter = AlertCounter(compile_document(rules_of("1.0.0")), examples=9)

    def seen(minute: int, subject: str = '{"customer.id":"ada"}') -> Alert:
        time = WINDOW_START + timedelta(minutes=minute)
        return Alert(
            kind="velocity",
            severity=Severity.low,
            subject=subject,
            evidence={"value": "3"},
            first_seen=time,
            last_seen=time,
            rule_id="rapid",
            cooldown=timedelta(minutes=10),
        )

    for minute in (1, 8, 18, 29, 45):
        end = WINDOW_START + timedelta(minutes=minute // 5 * 5 + 5)
        counter.add([seen(minute), *([seen(minute, "{}")] if minute == 8 else [])], end)
    # The gaps are 7, 10, 11 and 16 minutes; one is exactly the cooldown.
    assert counter.counts == Counter(rapid=4)
    assert len(counter.examples["rapid"]) == 4


def run_command(store: Store, file: Path, content: bytes, *more: str) -> str:
    file.write_bytes(content)
    parser = ArgumentParser()
    command.add_command(parser.add_subparsers())
    span = ["--from", SPAN.start.isoformat(), "--to", SPAN.end.isoformat()]
    arguments = parser.parse_args(["backtest", str(file), *span, *more])
    said: str = arguments.run(arguments, store.database)
    return said


def test_the_command_writes_a_table_or_json(judged: Store, tmp_path: Path) -> None:
    content = rules_of("2.0.0", threshold=1)
    said = run_command(judged, tmp_path / "rules.json", content)
    assert said.startswith("version 2.0.0 over 242 payments in 12 windows\n")
    assert "rules differ: large" in said
    (line,) = (line for line in said.splitlines() if line.startswith("large "))
    written = json.loads(run_command(judged, tmp_path / "rules.json", content, "--json"))
    large = written["rules"][0]
    figures = f"{large['candidate']['matched']} | {large['stored']['matched']}"
    assert line.split("  ")[0].strip() == "large"
    assert figures in line
    assert Decimal(large["stored"]["sums"]["EUR"]) < Decimal(large["candidate"]["sums"]["EUR"])
    assert large["examples"][0]["subject"]["payment_status"]


def test_an_interrupted_one_exits_as_such(
    judged: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupt(_: Any) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_line", interrupt)
    with pytest.raises(SystemExit) as raised:
        run_command(judged, tmp_path / "rules.json", rules_of("2.0.0"))
    assert raised.value.code == 130
    assert capsys.readouterr().err == "interrupted; nothing was written\n"
