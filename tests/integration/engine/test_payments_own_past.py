"""A payment that contradicts its own past is found, however far apart and in whatever order."""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from payment_messages import FIVE_MINUTES, NOW, WINDOW_START, messages, payment_event
from rule_documents import document, rule, use_rules
from store_fixtures import Store

from shared_code.cli import explain as command
from shared_code.domain.windows import Window, window_of
from shared_code.engine.backtest import run_backtest
from shared_code.rules.compiler import compile_document

DAY = 24 * 60
CONTRADICTION = rule(
    "contradiction",
    "sequence",
    when={"field": "payment_status", "operator": "eq", "value": "completed"},
    lookup={
        "by": "transaction_id",
        "within_minutes": DAY,
        "where": {"field": "original.payment_status", "operator": "eq", "value": "failed"},
    },
    alert={"operator": "gte", "value": 1},
)


def reported(status: str, minutes: float, transaction_id: str = "a") -> dict[str, Any]:
    """Return an event of a payment, so many minutes from the tests' first window on."""
    event_time = WINDOW_START + timedelta(minutes=minutes)
    return payment_event(transaction_id, event_time=event_time, payment_status=status)


def send(store: Store, *events: dict[str, Any]) -> None:
    """Store payments and close what has ended."""
    store.metrics.process_batch(messages(*events), now=NOW)
    store.metrics.aggregate(NOW)


def open_alerts(store: Store) -> Sequence[Any]:
    found = store.rows("SELECT subject, window_start FROM open_alerts ORDER BY 1, 2")
    return [(json.loads(subject)["transaction_id"], start) for subject, start in found]


def judged_windows(store: Store) -> dict[Any, Any]:
    """Return which transaction judged each window last."""
    last = "SELECT window_start, max(xmin::text::bigint) FROM rule_history GROUP BY 1"
    return dict(store.rows(last))


@pytest.mark.parametrize("minutes", [20, -DAY + 21, -13 * 60])
def test_a_contradiction_is_found_whose_first_event_lies_in_an_earlier_window_or_day(
    store: Store, minutes: float
) -> None:
    use_rules(store, CONTRADICTION)
    send(store, reported("failed", minutes), reported("failed", minutes, "other"))
    send(store, reported("completed", 20.5), reported("completed", 20.5, "alone"))
    assert open_alerts(store) == [("a", WINDOW_START + 4 * FIVE_MINUTES)]
    evidence = store.value("SELECT evidence FROM alerts")
    assert evidence["original"]["payment_status"] == "failed"
    assert [each["transaction_id"] for each in evidence["payments"]] == ["a"]


def test_a_failure_of_more_than_the_time_before_is_no_contradiction(store: Store) -> None:
    use_rules(store, CONTRADICTION)
    send(store, reported("failed", 20 - DAY), reported("completed", 20))
    assert open_alerts(store) == []


def test_a_failure_that_comes_late_is_found_in_the_later_window_of_its_payment_alone(
    store: Store,
) -> None:
    use_rules(store, CONTRADICTION)
    send(store, reported("completed", 31), reported("completed", 41, "other"))
    before = judged_windows(store)
    send(store, reported("failed", -7 * 60))
    assert open_alerts(store) == [("a", WINDOW_START + 6 * FIVE_MINUTES)]
    again = [start for start, by in judged_windows(store).items() if before.get(start, by) != by]
    assert again == [WINDOW_START + 6 * FIVE_MINUTES]
    assert store.value("SELECT count(*) FROM rule_marks") == 0


def test_a_status_that_comes_late_in_between_clears_the_contradiction(store: Store) -> None:
    use_rules(store, CONTRADICTION)
    send(store, reported("failed", 1), reported("completed", 31))
    assert len(open_alerts(store)) == 1
    send(store, reported("pending", 11))
    assert open_alerts(store) == []
    assert store.rows("SELECT * FROM rule_values") == []


@pytest.mark.parametrize("reverse", [False, True])
def test_what_is_found_does_not_depend_on_the_order_of_arrival(
    store: Store, *, reverse: bool
) -> None:
    use_rules(store, CONTRADICTION)
    statuses = ("pending", "failed", "failed", "completed", "completed", "failed", "completed")
    events = [reported(status, 3 * place) for place, status in enumerate(statuses)]
    for event in reversed(events) if reverse else events:
        send(store, event)
    starts = [window_of(WINDOW_START + timedelta(minutes=each)).start for each in (9, 12, 18)]
    assert open_alerts(store) == [("a", start) for start in starts]


def test_the_contradiction_is_explained_with_both_events(store: Store) -> None:
    use_rules(store, CONTRADICTION)
    send(store, reported("failed", -13 * 60), reported("completed", 20))
    parser = ArgumentParser()
    command.add_command(parser.add_subparsers())
    chosen = parser.parse_args(["explain", "a", "--json"])
    events = json.loads(chosen.run(chosen, store.database))
    failed, completed = (event["rules"][0] for event in events)
    assert (failed["answer"], completed["answer"]) == ("did not match", "matched")
    original = completed["facts"]["original"]
    assert (original["transaction_id"], original["payment_status"]) == ("a", "failed")
    assert original["event_time"] == (WINDOW_START - timedelta(hours=13)).isoformat()
    assert len(completed["alerts"]) == 1


def test_a_backtest_finds_what_was_found(store: Store) -> None:
    use_rules(store, CONTRADICTION)
    send(store, reported("failed", -13 * 60), reported("completed", 20))
    span = Window(WINDOW_START - timedelta(days=1), WINDOW_START + 12 * FIVE_MINUTES)
    candidate = compile_document(document("1.1.0", CONTRADICTION))
    (tally,) = run_backtest(store.database, candidate, span).rules
    assert tally.candidate == tally.stored
    assert tally.candidate is not None
    assert tally.candidate.matched == 1
