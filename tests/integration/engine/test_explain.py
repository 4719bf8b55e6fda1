"""``rules explain`` says of stored payments what became of them, and changes nothing."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

import pytest
from payment_messages import NOW, WINDOW_START, messages, payment_event
from store_fixtures import Store
from unit.rules.rule_samples import comparison, document, rule, window_rule
from unit.rules.scope_samples import lookup_rule, score_rule, velocity_rule

from shared_code.cli import explain as command
from shared_code.engine.explain import NothingToExplain
from shared_code.rules.compiler import canonical_content
from shared_code.store.rule_store import activate

RULES = (
    rule(
        "large",
        when={"all": [comparison("amount", "gte", 100), comparison("customer.id", "exists")]},
        value={"field": "amount"},
        bands=[{"outcome": "huge", "at_least": 500, "reason": "far above"}],
        alert={"operator": "gte", "value": 500},
    ),
    rule("abroad", when=comparison("counterparty.country", "ne", "DE")),
    rule("off", enabled=False),
    window_rule("busy", group_by=["currency"], alert={"operator": "gte", "value": 3}),
    velocity_rule("rapid", alert={"operator": "gte", "value": 3, "cooldown_minutes": 60}),
    lookup_rule("refund"),
    score_rule("score", terms=[{"rule": "large", "points": 5}]),
)


def put_in_force(store: Store, version: str, *rules: Any) -> None:
    with store.connection() as connection:
        content = canonical_content(document(*rules, version=version))
        activate(connection, content, by="a test", reason="a test")


@pytest.fixture
def judged(store: Store) -> Store:
    """Three payments of one customer, the last of which passes two statuses."""
    put_in_force(store, "1.0.0", *RULES)
    times = [WINDOW_START + timedelta(minutes=minute) for minute in (1, 6, 7, 8)]
    store.metrics.process_batch(
        messages(
            payment_event("a", event_time=times[0]),
            payment_event("b", event_time=times[1], amount="50.00"),
            payment_event("c", event_time=times[2], amount="600.00", payment_status="pending"),
            payment_event("c", event_time=times[3], amount="600.00"),
        ),
        now=NOW,
    )
    store.metrics.aggregate(NOW)
    return store


def said(store: Store, *arguments: str) -> str:
    parser = ArgumentParser()
    command.add_command(parser.add_subparsers())
    chosen = parser.parse_args(["explain", *arguments])
    text: str = chosen.run(chosen, store.database)
    return text


def as_json(store: Store, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(said(store, *arguments, "--json"))
    return found


def test_each_stored_event_of_the_payment_is_explained(judged: Store) -> None:
    events = as_json(judged, "c")
    assert [event["payment_status"] for event in events] == ["pending", "completed"]
    (event,) = as_json(judged, "c", "--status", "completed")
    assert [each["id"] for each in event["rules"]] == [each["id"] for each in RULES]
    answers = {each["id"]: each["answer"] for each in event["rules"]}
    assert answers == {
        "large": "matched",
        "abroad": "could not be judged",
        "off": "is disabled",
        "busy": "matched",
        "rapid": "matched",
        "refund": "did not match",
        "score": "matched",
    }


def test_answers_are_what_is_stored(judged: Store) -> None:
    stored = judged.rows("SELECT transaction_id, payment_status, rule_id FROM rule_matches")
    for transaction_id in ("a", "b", "c"):
        for event in as_json(judged, transaction_id):
            for each in event["rules"]:
                if each["scope"] == "transaction":
                    key = (transaction_id, event["payment_status"], each["id"])
                    assert (key in stored) == (each["answer"] == "matched"), key


def test_the_alerts_that_there_are_stand_with_their_rules(judged: Store) -> None:
    (event,) = as_json(judged, "c", "--status", "completed")
    alerts = {each["id"]: each["alerts"] for each in event["rules"] if each["alerts"]}
    assert set(alerts) == {"large", "busy", "rapid"}
    (large,) = alerts["large"]
    assert large["subject"] == {"transaction_id": "c", "payment_status": "completed"}
    assert (large["outcome"], large["withdrawn"], large["suppressed"]) == ("huge", False, False)
    # The episode of the customer began when the third payment came.
    assert not any(each["alerts"] for each in as_json(judged, "a")[0]["rules"])


def test_a_rule_can_be_chosen_and_shown_as_a_tree(judged: Store) -> None:
    time = (WINDOW_START + timedelta(minutes=6)).isoformat()
    assert said(judged, "b", "--rule", "large").splitlines() == [
        f"b, completed at {time}, by rule set version 1.0.0",
        "- large (transaction) did not match: its condition fails",
        "    when:",
        "        - all of: fails",
        "            - amount gte 100: fails; amount is 50.00 EUR",
        "            + customer.id exists: holds; customer.id is cus-1",
    ]
    lines = said(judged, "c", "--status", "completed", "--rule", "rapid").splitlines()
    assert lines[1] == "+ rapid (velocity) matched: its value passes the threshold"
    assert "    value: 3" in lines
    assert "    threshold: gte 3" in lines
    assert any(line.startswith("    alert, low: seen ") for line in lines)


def test_another_version_can_be_asked(judged: Store) -> None:
    put_in_force(judged, "2.0.0", rule("new"))
    (now,) = as_json(judged, "a")
    assert (now["rule_set_version"], [each["id"] for each in now["rules"]]) == ("2.0.0", ["new"])
    (before,) = as_json(judged, "a", "--version", "1.0.0")
    assert before["rule_set_version"] == "1.0.0"


def test_no_personal_data_is_shown(judged: Store) -> None:
    assert "ada" not in said(judged, "c")
    assert "@" not in said(judged, "c")


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["nobody"], "kept from .* rejected_events"),
        (["a", "--status", "failed"], "stored as completed only"),
        (["a", "--rule", "none"], "no rule none; it has large, abroad"),
        (["a", "--version", "9.9.9"], "no rule set of version 9.9.9"),
    ],
    ids=["payment", "status", "rule", "version"],
)
def test_what_is_not_there_is_told_with_advice(
    judged: Store, arguments: list[str], advice: str
) -> None:
    with pytest.raises(NothingToExplain, match=advice):
        said(judged, *arguments)


def test_without_any_rule_set_nothing_is_activated(store: Store) -> None:
    store.metrics.process_batch(messages(payment_event("a")), now=NOW)
    store.execute("DELETE FROM rule_set_activations")
    with pytest.raises(NothingToExplain, match="ever active"):
        said(store, "a")
    assert store.value("SELECT count(*) FROM rule_set_activations") == 0
