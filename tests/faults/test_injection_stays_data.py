"""What would be SQL, a template, a format or a formula elsewhere is text here, byte for byte."""

import json
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from payment_messages import NOW, messages, payment_event
from rule_documents import rapid_fire, rule, use_rules
from store_fixtures import Store

from shared_code.__main__ import main
from shared_code.store.rule_suppressions import insert_suppression

HOSTILE = {
    "quote": "'; DROP TABLE normalized_transactions; --",
    "identifier": '"; SELECT pg_sleep(60); --',
    "doubled quotes": "''\\'\"\"",
    "dollars": "$$; $body$ $1 $2 $$",
    "comment": "/* -- */ #",
    "end of COPY": "\\.",
    "end of COPY on a line": "a\n\\.\nb",
    "null of COPY": "\\N",
    "escapes of COPY": "\\b\\f\\n\\r\\t\\v\\x41\\101\\\\",
    "tab and lines": "a\tb\nc\rd\r\ne",
    "control characters": "".join(map(chr, [*range(1, 9), 11, 12, *range(14, 32), 127, 0x85])),
    "array": '{"a",NULL,{}}',
    "array end": "\"},{'",
    "bind": ":name %(name)s %s %% {0} {name!r} ?",
    "format": "%n%n%s%x {0.__class__.__mro__} {:>99999999}",
    "template": "{{7*7}} ${7*7} <%= 7*7 %> #{7*7} {% raw %}",
    "look-up": "${jndi:ldap://127.0.0.1:1/a}",
    "formula": "=cmd|' /C calc'!A0,=HYPERLINK(\"x\")",
    "formulas": "+1+1\t-1\t@SUM(1)",
    "markup": "<script>alert(1)</script>&amp;&#0;",
    "shell": "`id`; $(id) | id && id > /dev/null",
    "path": "../../../../etc/passwd\\..\\..",
    "terminal": "\x1b[2J\x1b]0;owned\x07",
    "log line": "ok\n2026-01-01 00:00:00 ERROR forged",
    "json": '\\u0022, "amount": "0", "x": "\\"}',
    "direction": "\u202egnp.exe\u200b\ufeff",
    "widest": "\U0001f4b3\U0010ffff\ufffd\ue000",
    "combining": "e\u0301 \u00e9 \u212b",
    "xml": "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;",
    "number": "1e999 NaN Infinity 0x10 1_000",
    "boolean": "null true undefined",
}
ID = 64  # the longest id


def hostile_event(number: int, text: str) -> dict[str, Any]:
    """Return a good event with a text in every field that takes any."""
    return payment_event(
        f"{number}{text}"[:ID],
        original_transaction_id=text[:ID],
        customer={"id": text[:ID], "country": "DE"},
        merchant={"id": text[:ID], "name": text, "category": text[:ID], "country": "DE"},
        card={"brand": text[:32], "bin": "411111", "last4": "1111", "fingerprint": text[:ID]},
        payment_method="credit_card",
        counterparty={"id": text[:ID], "country": "DE"},
        metadata={"value": text, text: "key", "nested": [{"list": [text]}]},
    )


@pytest.fixture(scope="module")
def sent(shared_store: Store) -> list[dict[str, Any]]:
    """Hostile events, which a rule that reads their text and one that groups by it have judged."""
    by_text = rule(
        "by_text",
        when={"field": "merchant.name", "operator": "in", "value": list(HOSTILE.values())},
    )
    groups = rule(
        "groups",
        "window",
        group_by=["merchant.category"],
        metric={"name": "groups", "type": "count"},
    )
    groups["measure"] = {"function": "count"}
    use_rules(shared_store, by_text, groups, rapid_fire(times=1))
    events = [hostile_event(at, text) for at, text in enumerate(HOSTILE.values())]
    result = shared_store.metrics.process_batch(messages(*events), now=NOW)
    assert (result.stored, result.rejected) == (len(events), 0)
    shared_store.metrics.aggregate(NOW)
    return events


def test_every_text_is_stored_as_it_was_sent(
    shared_store: Store, sent: list[dict[str, Any]]
) -> None:
    stored = shared_store.rows("""
        SELECT transaction_id, original_transaction_id, customer_id, merchant_id, merchant_name,
               merchant_category, card_brand, counterparty_id, metadata
        FROM normalized_transactions
    """)
    expected = [
        (
            event["transaction_id"],
            event["original_transaction_id"],
            event["customer"]["id"],
            event["merchant"]["id"],
            event["merchant"]["name"],
            event["merchant"]["category"],
            event["card"]["brand"],
            event["counterparty"]["id"],
            event["metadata"],
        )
        for event in sent
    ]
    assert sorted(stored, key=str) == sorted(expected, key=str)


def test_a_rule_compares_hostile_text_with_payments(
    shared_store: Store, sent: list[dict[str, Any]]
) -> None:
    matched = shared_store.rows("SELECT transaction_id FROM rule_matches WHERE rule_id = 'by_text'")
    assert sorted(matched) == sorted((event["transaction_id"],) for event in sent)


def test_groups_and_subjects_of_alerts_are_the_hostile_texts(
    shared_store: Store, sent: list[dict[str, Any]]
) -> None:
    values = shared_store.rows("SELECT dimensions FROM rule_values WHERE rule_id = 'groups'")
    expected = {event["merchant"]["category"] for event in sent}
    assert {group["merchant.category"] for (group,) in values} == expected
    alerts = shared_store.rows("SELECT subject FROM open_alerts WHERE rule_id = 'rapid_fire'")
    found = {json.loads(subject)["customer.id"] for (subject,) in alerts}
    assert found == {event["customer"]["id"] for event in sent}


def test_hostile_text_that_is_refused_is_kept_as_it_came(shared_store: Store) -> None:
    # E-mail addresses are redacted and escapes of JSON undone, which is tested elsewhere.
    texts = [text for text in HOSTILE.values() if "@" not in text and "\\u" not in text]
    bodies = [f"refused {text}".encode() for text in texts]
    shared_store.metrics.process_batch(messages(*bodies, first=1000), now=NOW)
    kept = shared_store.rows("SELECT body FROM rejected_events WHERE body LIKE 'refused %'")
    assert sorted(body for (body,) in kept) == sorted(body.decode() for body in bodies)


@pytest.mark.parametrize("hidden", ["\0", "\ud800"])
def test_text_that_no_database_stores_refuses_its_own_event_only(
    shared_store: Store, hidden: str
) -> None:
    events = [payment_event("before"), payment_event("bad"), payment_event("after")]
    events[1]["merchant"]["name"] = f"a{hidden}b"
    result = shared_store.metrics.process_batch(
        messages(json.dumps(events).encode(), first=2000), now=NOW
    )
    assert result.rejected == 1
    assert shared_store.value("SELECT count(*) FROM payments WHERE transaction_id = 'bad'") == 0


def test_hostile_words_of_rules_and_operators_are_kept_as_they_came(shared_store: Store) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    for at, text in enumerate(HOSTILE.values()):
        use_rules(
            shared_store,
            rule("hostile", description=text, owner=text[:64]),
            version=f"50.0.{at}",
            description=text,
        )
        with shared_store.database.transaction() as connection:
            insert_suppression(connection, "hostile", text, until, by=text, reason=text)
    documents = shared_store.rows("""
        SELECT CAST(document AS jsonb) #>> '{rules,0,description}', CAST(document AS jsonb)
               ->> 'description'
        FROM rule_sets WHERE version LIKE '50.0.%'
    """)
    assert sorted(documents) == sorted((text, text) for text in HOSTILE.values())
    said = shared_store.rows("SELECT subject, reason, created_by FROM rule_suppressions")
    assert sorted(said) == sorted((text, text, text) for text in HOSTILE.values())


@pytest.mark.parametrize("name", HOSTILE)
def test_commands_take_hostile_text_for_an_id_and_send_no_control_to_the_terminal(
    shared_store: Store,
    sent: list[dict[str, Any]],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", shared_store.writer_url)
    hostile = sent[list(HOSTILE).index(name)]["transaction_id"]
    assert main(["rules", "explain", "--json", "--", hostile]) == 0
    (event,) = json.loads(capsys.readouterr().out)
    assert event["transaction_id"] == hostile
    assert main(["rules", "explain", "--", hostile]) == 0
    said = capsys.readouterr().out
    assert [it for it in said if unicodedata.category(it) == "Cc" and it not in "\t\n"] == []
