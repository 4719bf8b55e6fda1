"""The demo shows what rules found, and names commands that work on it."""

import shlex
from datetime import timedelta
from io import StringIO

import pytest
from payment_messages import NOW, WINDOW_START, messages, payment_event
from rich.console import Console
from rule_documents import rapid_fire, rule, use_rules
from store_fixtures import Store

from demo.next_steps import next_steps
from demo.summary import print_summary
from shared_code.__main__ import main

SHARE = rule(
    "share_of_failures",
    "window",
    metric={"name": "share_of_failures", "type": "ratio"},
    group_by=["payment_method"],
    measure={
        "function": "ratio",
        "of": {"field": "payment_status", "operator": "eq", "value": "failed"},
    },
)


@pytest.fixture
def judged(store: Store) -> Store:
    """Seven payments of two customers, one of whom is too fast."""
    large = {"field": "amount", "operator": "gte", "value": 1000}
    alert = {"operator": "gte", "value": 1}
    use_rules(
        store, SHARE, rapid_fire(), rule("large", when=large, severity="critical", alert=alert)
    )
    events = [
        payment_event(f"t{at}", event_time=WINDOW_START + timedelta(seconds=at), amount=amount)
        for at, amount in enumerate(["1.00", "2.00", "3.00", "4.00", "5.00", "1000.00"])
    ]
    failed = payment_event("t9", customer={"id": "cus-2"}, payment_status="failed", amount="7.00")
    store.metrics.process_batch(messages(*events, failed), now=NOW)
    store.metrics.aggregate(NOW)
    return store


def summary(store: Store) -> list[list[str]]:
    """Return the words of each line that a terminal of 80 columns shows."""
    console = Console(file=StringIO(), width=80)
    with store.connection() as connection:
        print_summary(console, connection)
    assert isinstance(console.file, StringIO)
    return [line.split() for line in console.file.getvalue().splitlines()]


def test_open_alerts_are_counted_by_rule_with_one_example_each_the_gravest_first(
    judged: Store,
) -> None:
    lines = summary(judged)
    large = ["critical", "large", "1", "t5", "1"]
    assert lines.index(large) + 1 == lines.index(["medium", "rapid_fire", "1", "cus-1", "6"])


def test_values_of_windows_and_subjects_are_shown_as_people_write_them(judged: Store) -> None:
    lines = summary(judged)
    assert ["window", "share_of_failures", "11:00", "bank_transfer", "0.1429"] in lines
    assert ["velocity", "rapid_fire", "11:00", "cus-1", "6"] in lines


def test_the_version_of_the_rules_in_force_is_shown_with_who_made_it_active(judged: Store) -> None:
    (line,) = (words for words in summary(judged) if words[:1] == ["version"])
    assert (line[1], line[2], line[-2:]) == ("1.0.0", "3", ["a", "test"])


def test_an_alert_that_was_withdrawn_is_not_among_the_open_ones(judged: Store) -> None:
    judged.execute("UPDATE alerts SET withdrawn_at = now() WHERE rule_id = 'large'")
    assert not any(words[:2] == ["critical", "large"] for words in summary(judged))


def test_the_commands_to_try_work(
    judged: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {
        "DATABASE_URL": judged.url,
        "RulesStorage": "AccountName=a;AccountKey=b",
        "RULES_CONTAINER": "rules",
    }
    with judged.connection() as connection:
        lines = [shlex.split(line) for line in next_steps(settings, connection)]
    exported = dict(words[1].split("=", 1) for words in lines if words[0] == "export")
    assert exported == settings
    monkeypatch.setenv("DATABASE_URL", exported["DATABASE_URL"])
    history, explain = (words[3:] for words in lines if words[4:5] in (["history"], ["explain"]))
    assert main(history) == main(explain) == 0
    assert "+ rapid_fire (velocity) matched: its value passes the threshold" in (
        capsys.readouterr().out
    )
