"""The database is the authority on which rule set is active, whoever uploads what and when."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from payment_messages import NOW, messages, payment_event
from sqlalchemy import event
from store_fixtures import Store

from shared_code.engine.metric_engine import SHIPPED_RULES, MetricEngine
from shared_code.engine.rule_reload import ReloadOutcome
from shared_code.rules.compiler import canonical_content
from shared_code.rules.document_text import parse_document, yaml_text
from shared_code.rules.errors import RuleDocumentRefused
from shared_code.store.rule_store import (
    ActivationRefused,
    activate,
    activate_again,
    end_shadow,
    rule_sets_in_force,
    start_shadow,
)

SHIPPED = json.loads(SHIPPED_RULES.read_bytes())
ACTIVATIONS = """
    SELECT rule_sets.version, activated_by
    FROM rule_set_activations JOIN rule_sets USING (rule_set) ORDER BY activation_id
"""


def document(version: str, **changes: Any) -> bytes:
    """Return a document of a version in its canonical form; equal arguments, equal bytes."""
    return canonical_content(json.dumps(SHIPPED | {"version": version} | changes).encode())


class Archive:
    """An archive that remembers what it was given."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, bytes]] = []

    def handed_in(self, _name: str, _content: bytes) -> tuple[str, str]:
        return "", ""

    def keep(self, version: str, content: bytes) -> None:
        self.kept.append((version, content))


def upload(metrics: MetricEngine, content: bytes) -> ReloadOutcome:
    return metrics.reload_rules(content, "rules.json", Archive())


def test_the_first_use_activates_the_shipped_set(store: Store) -> None:
    result = store.metrics.process_batch(messages(payment_event()), now=NOW)
    assert result.rule_set_version == SHIPPED["version"]
    assert store.rows(ACTIVATIONS) == [(SHIPPED["version"], "deployment")]
    assert store.value("SELECT count(*) FROM rules") == len(SHIPPED["rules"])


def test_the_rules_of_a_set_are_stored_by_one_statement_for_each_table(store: Store) -> None:
    inserted = []

    def look(_connection: object, _cursor: object, statement: str, sent: Any, *_: object) -> None:
        # What is sent row by row comes as a list of rows.
        if statement.startswith(("INSERT INTO rules ", "INSERT INTO rule_outcomes ")):
            inserted.append((statement.split()[2], type(sent)))

    event.listen(store.database.engine, "before_cursor_execute", look)
    store.metrics.process_batch(messages(payment_event()), now=NOW)
    assert inserted == [("rules", dict), ("rule_outcomes", dict)]


def test_first_uses_at_once_activate_the_shipped_set_once(store: Store) -> None:
    engines = [store.engine() for _ in range(4)]
    start = threading.Barrier(len(engines))

    def use(metrics: MetricEngine) -> int:
        start.wait()
        return metrics.process_batch(messages(payment_event()), now=NOW).stored

    with ThreadPoolExecutor(len(engines)) as pool:
        assert sum(pool.map(use, engines)) == 1
    assert store.rows(ACTIVATIONS) == [(SHIPPED["version"], "deployment")]


def test_an_upload_of_a_higher_version_judges_the_next_batch(store: Store) -> None:
    store.metrics.process_batch(messages(payment_event("a")), now=NOW)
    outcome = upload(store.metrics, document("2.10.0"))
    assert (outcome.version, outcome.active_document) == ("2.10.0", document("2.10.0"))
    result = store.metrics.process_batch(messages(payment_event("b")), now=NOW)
    assert result.rule_set_version == "2.10.0"
    found = store.rows("""
        SELECT transaction_id, version FROM normalized_transactions
        JOIN rule_sets USING (rule_set) ORDER BY 1
    """)
    assert found == [("a", SHIPPED["version"]), ("b", "2.10.0")]
    matched = store.rows("SELECT DISTINCT transaction_id, rule_set_version FROM rule_matches")
    assert sorted(matched) == found


@pytest.mark.parametrize("version", ["2.9.9", "2.10.0", "0.99.0"])
def test_a_version_that_is_not_higher_is_refused(store: Store, version: str) -> None:
    upload(store.metrics, document("2.10.0"))
    outcome = upload(store.metrics, document(version, description="another"))
    assert outcome.active_document is None
    assert "Raise the version" in (outcome.report or b"").decode()
    assert [row[0] for row in store.rows(ACTIVATIONS)] == ["2.10.0"]


def test_the_active_document_uploaded_again_changes_nothing(store: Store) -> None:
    first, second = (upload(store.metrics, document("2.0.0")) for _ in range(2))
    assert first == second
    assert len(store.rows(ACTIVATIONS)) == 1


def test_a_version_that_was_ever_taken_is_taken(store: Store) -> None:
    upload(store.metrics, document("2.0.0"))
    upload(store.metrics, document("3.0.0"))
    with store.connection() as connection, pytest.raises(ActivationRefused, match="taken"):
        activate(connection, document("2.0.0", description="x"), by="a test", reason="a test")


def test_a_document_made_from_another_version_than_the_active_one_is_refused(
    store: Store,
) -> None:
    upload(store.metrics, document("2.0.0"))
    upload(store.metrics, document("2.1.0", based_on="2.0.0"))
    late = upload(store.metrics, document("2.2.0", based_on="2.0.0"))
    (error,) = json.loads(late.report or b"")["errors"]
    assert error["path"] == "$.based_on"
    assert "2.1.0 is active" in error["message"]
    assert upload(store.metrics, document("2.2.0", based_on="2.1.0")).version == "2.2.0"


def test_a_rollback_is_a_new_activation_of_an_old_set(store: Store) -> None:
    upload(store.metrics, document("2.0.0"))
    upload(store.metrics, document("2.1.0"))
    with store.connection() as connection:
        again = activate_again(connection, "2.0.0", by="ada", reason="2.1.0 floods us")
    assert again.version == "2.0.0"
    assert store.rows(ACTIVATIONS)[2:] == [("2.0.0", "ada")]
    result = store.metrics.process_batch(messages(payment_event()), document("2.1.0"), NOW)
    assert result.rule_set_version == "2.0.0"
    assert store.metrics.active_document() == document("2.0.0")


def test_after_a_rollback_an_upload_has_to_be_above_what_was_rolled_back(store: Store) -> None:
    for version in ("2.0.0", "2.1.0"):
        upload(store.metrics, document(version))
    with store.connection() as connection:
        activate_again(connection, "2.0.0", by="ada", reason="a test")
    assert upload(store.metrics, document("2.0.1")).version is None
    assert upload(store.metrics, document("2.1.1")).version == "2.1.1"


@pytest.mark.parametrize(("version", "problem"), [("9.9.9", "ever accepted"), ("2.0.0", "already")])
def test_only_an_accepted_version_that_is_not_active_can_be_rolled_back_to(
    store: Store, version: str, problem: str
) -> None:
    upload(store.metrics, document("2.0.0"))
    with store.connection() as connection, pytest.raises(ActivationRefused, match=problem):
        activate_again(connection, version, by="ada", reason="a test")


def test_a_shadow_runs_until_it_is_ended_or_becomes_active(store: Store) -> None:
    upload(store.metrics, document("2.0.0"))
    with store.connection() as connection:
        start_shadow(connection, document("3.0.0"), by="ada", reason="a test")
        assert rule_sets_in_force(connection).shadow.version == "3.0.0"
        end_shadow(connection, by="ada", reason="a test")
        assert rule_sets_in_force(connection).shadow is None
        assert end_shadow(connection, by="ada", reason="a test") is None
        start_shadow(connection, document("3.0.0"), by="ada", reason="a test")
    assert upload(store.metrics, document("3.0.0")).version == "3.0.0"
    with store.connection() as connection:
        assert rule_sets_in_force(connection).shadow is None
        with pytest.raises(ActivationRefused, match="is the active rule set"):
            start_shadow(connection, document("3.0.0"), by="ada", reason="a test")


def test_a_shadow_that_was_active_does_not_run_again_behind_its_successor(store: Store) -> None:
    upload(store.metrics, document("2.0.0"))
    with store.connection() as connection:
        start_shadow(connection, document("3.0.0"), by="ada", reason="a test")
    for version in ("3.0.0", "4.0.0"):
        assert upload(store.metrics, document(version)).version == version
    with store.connection() as connection:
        assert rule_sets_in_force(connection).shadow is None
        again = start_shadow(connection, document("3.0.0"), by="ada", reason="what was it like?")
        assert rule_sets_in_force(connection).shadow == again


def test_a_shadow_takes_no_version_from_the_active_ones(store: Store) -> None:
    upload(store.metrics, document("2.0.0"))
    with store.connection() as connection:
        start_shadow(connection, document("3.0.0"), by="ada", reason="a test")
    assert upload(store.metrics, document("2.1.0")).version == "2.1.0"
    assert upload(store.metrics, document("3.0.0", description="another")).version is None


def test_of_two_uploads_of_one_version_at_once_one_wins_and_the_other_is_told(
    store: Store,
) -> None:
    contents = [document("2.0.0", description=f"by {at}") for at in range(2)]
    engines = [store.engine() for _ in contents]
    start = threading.Barrier(len(engines))

    def send(at: int) -> ReloadOutcome:
        start.wait()
        return upload(engines[at], contents[at])

    with ThreadPoolExecutor(len(engines)) as pool:
        outcomes = list(pool.map(send, range(len(engines))))
    won = [at for at, outcome in enumerate(outcomes) if outcome.active_document]
    assert len(won) == 1
    lost = outcomes[1 - won[0]]
    assert "taken" in (lost.report or b"").decode()
    with store.connection() as connection:
        active = rule_sets_in_force(connection).active
        assert active is not None
        document_of = "SELECT document FROM rule_sets WHERE rule_set = %(number)s"
        stored = connection.exec_driver_sql(document_of, {"number": active.rule_set}).scalar_one()
    assert stored.encode() == contents[won[0]]


def test_yaml_and_json_of_one_content_are_one_rule_set(store: Store) -> None:
    first = upload(store.metrics, document("2.0.0"))
    again = upload(store.metrics, yaml_text(parse_document(document("2.0.0"))).encode())
    assert again == first
    assert len(store.rows(ACTIVATIONS)) == 1


def test_of_two_versions_at_once_the_higher_is_active_in_the_end(store: Store) -> None:
    versions = ["2.0.0", "2.1.0"]
    engines = [store.engine() for _ in versions]
    start = threading.Barrier(len(engines))

    def send(at: int) -> None:
        start.wait()
        upload(engines[at], document(versions[at]))

    with ThreadPoolExecutor(len(engines)) as pool:
        list(pool.map(send, range(len(engines))))
    assert store.rows(ACTIVATIONS)[-1][0] == "2.1.0"


def test_a_refused_document_is_recorded_with_all_its_errors(store: Store) -> None:
    wrong = document("2.0.0", rules=[{"id": "x"}, {"id": "y"}])
    outcome = upload(store.metrics, wrong)
    assert outcome.version is None
    ((verdict, errors, stored, source),) = store.rows(
        "SELECT verdict, errors, document, source FROM rule_sets"
    )
    assert (verdict, stored.encode(), source) == ("refused", wrong, "rules.json")
    assert len(errors) >= 2
    assert errors == json.loads(outcome.report or b"")["errors"]
    with store.connection() as connection:
        assert rule_sets_in_force(connection).active is None


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\xff\x00", b"[]", b"{", b"nul\x00", b"\xed\xa0\x80"),
        json.dumps(SHIPPED | {"version": "2.0.0", "description": "a\0b"}).encode(),
    ],
)
def test_whatever_is_uploaded_can_be_recorded(shared_store: Store, content: bytes) -> None:
    with shared_store.connection() as connection, pytest.raises(RuleDocumentRefused):
        activate(connection, content, by="a test", reason="a test")
    for _ in range(2):
        assert upload(shared_store.metrics, content).report is not None
    refused = (
        "SELECT count(*) FROM rule_sets WHERE sha256 = sha256(:content) AND verdict = 'refused'"
    )
    assert shared_store.value(refused, content=content) == 1


def test_a_document_refused_for_its_version_can_be_accepted_later(store: Store) -> None:
    upload(store.metrics, document("2.0.0"))
    older = document("1.5.0")
    assert upload(store.metrics, older).version is None
    store.execute("DELETE FROM rule_set_activations")
    assert upload(store.metrics, older).version == "1.5.0"
    found = store.rows("SELECT verdict, version, errors FROM rule_sets ORDER BY rule_set")
    assert found == [("accepted", "2.0.0", []), ("accepted", "1.5.0", [])]
    count = "SELECT count(*) FROM rules JOIN rule_sets USING (rule_set) WHERE version = '1.5.0'"
    assert store.value(count) == len(SHIPPED["rules"])


def test_of_a_large_document_refused_at_first_the_whole_is_kept_once_it_is_accepted(
    store: Store,
) -> None:
    for version in ("2.0.0", "2.1.0"):
        upload(store.metrics, document(version))
    lists = {"padding": [f"{number:0250}" for number in range(300)]}
    large = document("2.2.0", based_on="2.0.0", lists=SHIPPED["lists"] | lists)
    assert upload(store.metrics, large).version is None
    with store.connection() as connection:
        activate_again(connection, "2.0.0", by="ada", reason="a test")
    assert upload(store.metrics, large).version == "2.2.0"
    assert store.metrics.active_document() == large


@pytest.mark.parametrize("held", [document("1.5.0"), document("9.0.0"), b"no json at all"])
def test_a_stale_or_foreign_document_of_the_binding_is_not_used(store: Store, held: bytes) -> None:
    upload(store.metrics, document("1.5.0"))
    upload(store.metrics, document("2.0.0"))
    result = store.metrics.process_batch(messages(payment_event()), held, NOW)
    assert result.rule_set_version == "2.0.0"
    assert store.rows("SELECT DISTINCT rule_set_version FROM rule_matches") == [("2.0.0",)]


def test_the_active_document_of_the_binding_is_used_as_it_is(store: Store) -> None:
    upload(store.metrics, document("2.0.0"))
    store.execute("UPDATE rule_sets SET document = 'not read'")
    result = store.metrics.process_batch(messages(payment_event()), document("2.0.0"), NOW)
    assert result.rule_set_version == "2.0.0"


def test_an_accepted_document_is_archived_and_a_refused_one_is_not(store: Store) -> None:
    archive = Archive()
    store.metrics.reload_rules(document("2.0.0"), "rules.json", archive)
    store.metrics.reload_rules(document("1.0.1"), "rules.json", archive)
    assert archive.kept == [("2.0.0", document("2.0.0"))]
