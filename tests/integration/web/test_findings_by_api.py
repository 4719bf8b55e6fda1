"""What rules found, as the API tells it: values, alerts, clusters, and rule sets themselves."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from api_client import ApiClient, utc
from payment_messages import NOW, WINDOW_START, messages, payment_event
from rule_documents import document, rapid_fire, rule
from store_fixtures import NewStore, Store

from shared_code.domain.vocabularies import Severity
from shared_code.domain.windows import window_of
from shared_code.rules.compiler import compile_document
from shared_code.rules.diff import diff_documents
from shared_code.rules.errors import RuleError
from shared_code.store.alerts import Alert, raise_alerts
from shared_code.store.clusters import Cluster, Outlier, WindowClusters, replace_clusters
from shared_code.store.rule_store import activate, record_refused, start_shadow

SPAN = f"from={utc(NOW - timedelta(hours=2))}&to={utc(NOW + timedelta(hours=1))}"
FINGERPRINT = "0123456789abcdef" * 2
OLD = document(
    "1.0.0",
    rapid_fire(times=3),
    rule("failed_payments", "window", group_by=["currency"], measure={"function": "count"}),
)
NEW = document(
    "1.1.0",
    rapid_fire(times=4),
    rule("failed_payments", "window", group_by=["currency"], measure={"function": "count"}),
)


@pytest.fixture(scope="module")
def stored(new_store: NewStore) -> Iterator[Store]:
    with new_store() as store:
        with store.connection() as connection:
            activate(connection, OLD, by="ada", reason="a test")
        events = [
            payment_event(f"txn-{at}", event_time=WINDOW_START + timedelta(seconds=10 * at))
            for at in range(4)
        ]
        store.metrics.process_batch(messages(*events), now=NOW)
        store.metrics.aggregate(NOW)
        with store.connection() as connection:
            activate(connection, NEW, by="ada", reason="fewer alerts")
            start_shadow(connection, OLD, by="ada", reason="to compare")
            record_refused(connection, b"{", [RuleError("$", "no JSON", "mend it")], "bad.json")
            keep_clusters(connection)
            raise_alerts(connection, list(other_alerts()))
            connection.exec_driver_sql(
                "UPDATE alerts SET withdrawn_at = now() WHERE subject = 'withdrawn'"
            )
            connection.exec_driver_sql("""
                WITH made AS (
                    INSERT INTO rule_suppressions (rule_id, until, reason, created_by)
                    VALUES ('any', now() + interval '1 day', 'a test', 'ada')
                    RETURNING suppression_id
                )
                UPDATE alerts SET suppression_id = made.suppression_id FROM made
                WHERE subject = 'suppressed'
            """)
        yield store


def other_alerts() -> Iterator[Alert]:
    card = json.dumps({"card.fingerprint": FINGERPRINT}, separators=(",", ":"))
    for at, subject in enumerate(("withdrawn", "suppressed", card, "<script>alert(1)</script>")):
        seen = WINDOW_START + timedelta(minutes=at)
        yield Alert("drift", Severity.critical, subject, {"found": 1}, seen, seen)


def keep_clusters(connection: Any) -> None:
    window = window_of(WINDOW_START)
    clusters = [Cluster(number, 2, 0.5, {"amounts": []}, 2.5, 1.0, ["txn-1"]) for number in (0, 1)]
    outliers = [
        Outlier(WINDOW_START + timedelta(seconds=10), "txn-1", 1, 0, 2.5),
        Outlier(WINDOW_START + timedelta(seconds=11), "dropped", 1, 0, 1.5),
    ]
    replace_clusters(connection, window, WindowClusters("k_means", 4, None, clusters, outliers))


@pytest.fixture(scope="module")
def api(stored: Store) -> ApiClient:
    return ApiClient(stored.reader_url, NOW)


def test_values_of_rules_are_those_of_the_view(api: ApiClient, stored: Store) -> None:
    found = api.all_items(f"metrics?{SPAN}&limit=1")
    assert [(each["rule_id"], each["value"], each["dimensions"]) for each in found] == [
        ("rapid_fire", "4", {"customer.id": "cus-1"}),
        ("failed_payments", "4", {"currency": "EUR"}),
    ]
    assert found == api.items(f"metrics?{SPAN}")
    assert len(found) == stored.value("SELECT count(*) FROM rule_values")


@pytest.mark.parametrize(
    ("query", "rules"),
    [
        ("rule=rapid_fire", {"rapid_fire"}),
        ("rule=rapid_fire&rule=failed_payments", {"rapid_fire", "failed_payments"}),
        ("scope=window", {"failed_payments"}),
        ("category=fraud", {"rapid_fire", "failed_payments"}),
        ("category=aml", set()),
    ],
)
def test_values_are_filtered_by_what_their_rules_are(
    api: ApiClient, query: str, rules: set[str]
) -> None:
    assert {each["rule_id"] for each in api.items(f"metrics?{SPAN}&{query}")} == rules


def test_top_rules_count_what_matched(api: ApiClient, stored: Store) -> None:
    found = api.all_items(f"metrics/top?{SPAN}&limit=1")
    counts = dict(
        stored.rows(
            "SELECT rule_id, match_count FROM rule_history JOIN rules USING (rule_set, rule)"
        )
    )
    assert {each["rule_id"]: each["match_count"] for each in found} == counts
    matches = [each["match_count"] for each in found]
    assert matches == sorted(matches, reverse=True)
    for each in found:
        assert each["match_rate"] == each["match_count"] / each["payment_count"]


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        (
            "",
            {
                '{"customer.id":"cus-1"}',
                '{"card.fingerprint":"01234567…"}',
                "<script>alert(1)</script>",
            },
        ),
        ("state=withdrawn", {"withdrawn"}),
        ("state=suppressed", {"suppressed"}),
        ("state=all&severity=critical&limit=1", None),
        ("rule=rapid_fire", {'{"customer.id":"cus-1"}'}),
        ("kind=velocity", {'{"customer.id":"cus-1"}'}),
        ("severity=low&severity=medium", {'{"customer.id":"cus-1"}'}),
        ("subject=%7B%22customer.id%22%3A%22cus-1%22%7D", {'{"customer.id":"cus-1"}'}),
        ("subject=cus-1", {'{"customer.id":"cus-1"}'}),
        ("subject=cus-", set()),
        ("rule=another_rule", set()),
    ],
)
def test_alerts_are_filtered(api: ApiClient, query: str, subjects: set[str] | None) -> None:
    found = api.all_items(f"alerts?{SPAN}&{query}")
    if subjects is None:
        assert len(found) == 4
    else:
        assert {each["subject"] for each in found} == subjects
    seen = [each["last_seen"] for each in found]
    assert seen == sorted(seen, reverse=True)


def test_an_alert_leads_to_its_payments(api: ApiClient) -> None:
    (found,) = api.items(f"alerts?{SPAN}&rule=rapid_fire")
    assert api.get(f"alerts/{found['alert_id']}") == found
    assert (found["state"], found["rule_set_version"]) == ("open", "1.0.0")
    payments = api.all_items(f"alerts/{found['alert_id']}/payments?limit=1")
    named = {each["transaction_id"] for each in found["evidence"]["payments"]}
    assert {each["transaction_id"] for each in payments} == named
    assert len(payments) == len(named) > 1


def test_an_alert_without_payments_has_none_and_one_that_is_not_is_a_problem(
    api: ApiClient,
) -> None:
    (script,) = api.items(f"alerts?{SPAN}&subject=%3Cscript%3Ealert(1)%3C/script%3E")
    assert api.items(f"alerts/{script['alert_id']}/payments") == []
    nobody = "00000000-0000-0000-0000-000000000000"
    assert api.problem(f"alerts/{nobody}")["status"] == 404
    assert api.problem(f"alerts/{nobody}/payments")["status"] == 404


def test_a_cards_fingerprint_is_never_told_whole(api: ApiClient) -> None:
    told = api.ask(f"alerts?{SPAN}&state=all").body + api.ask(f"metrics?{SPAN}").body
    assert FINGERPRINT not in told.decode()
    assert FINGERPRINT[:8] in told.decode()


def test_clusters_and_outliers_are_told_by_window(api: ApiClient) -> None:
    clusters = api.all_items(f"clusters?{SPAN}&limit=1")
    assert [each["cluster"] for each in clusters] == [1, 0]
    assert clusters[0]["window_start"] == utc(WINDOW_START)
    dropped, kept = api.all_items(f"clusters/outliers?{SPAN}&limit=1")
    assert (kept["transaction_id"], kept["amount"], kept["currency"]) == ("txn-1", "10.50", "EUR")
    assert kept["payment_status"] == "completed"
    assert (dropped["amount"], dropped["currency"]) == (None, None)


def test_rule_sets_are_told_with_their_life(api: ApiClient) -> None:
    refused, newer, older = api.all_items("rules?limit=1")
    assert (refused["version"], refused["verdict"]) == (None, "refused")
    assert (newer["version"], newer["is_active"], newer["is_shadow"]) == ("1.1.0", True, False)
    assert (older["version"], older["is_active"], older["is_shadow"]) == ("1.0.0", False, True)
    assert [each["role"] for each in older["activations"]] == ["shadow", "active"]
    assert newer["activations"][0]["reason"] == "fewer alerts"
    assert api.items(f"rules?to={utc(NOW - timedelta(days=9))}") == []


def test_a_document_is_told_as_it_was_accepted(api: ApiClient) -> None:
    assert api.ask("rules/1.1.0").body == NEW
    assert api.problem("rules/7.7.7")["status"] == 404


def test_a_diff_says_what_changes_in_meaning(api: ApiClient) -> None:
    found = api.get("rules/1.0.0/diff/1.1.0")
    old, new = (compile_document(each).document for each in (OLD, NEW))
    (expected,) = diff_documents(old, new).changed
    assert found["changed"] == [
        {"rule_id": "rapid_fire", "changes": [each._asdict() for each in expected.changes]}
    ]
    assert (found["added"], found["removed"], found["is_empty"]) == ([], [], False)
    assert api.get("rules/1.0.0/diff/1.0.0")["is_empty"]
    assert api.problem("rules/1.0.0/diff/7.7.7")["status"] == 404


def test_the_summary_tells_how_the_pipeline_is_doing(api: ApiClient) -> None:
    found = api.get("summary")
    assert found["active_rule_set"]["version"] == "1.1.0"
    assert found["shadow_rule_set"]["version"] == "1.0.0"
    assert found["open_alerts"] == {"info": 0, "low": 0, "medium": 1, "high": 0, "critical": 2}
    assert found["days_ahead"] >= 14
    assert (found["open_windows"], found["oldest_open_window"]) == (0, None)
