"""What was refused is told by reason and place; of its body only the shape."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from api_client import ApiClient, utc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from payment_messages import NOW, message, payment_event
from sqlalchemy import text
from store_fixtures import NewStore, Store

from shared_code.store.schema import READER

SECRET = "Ada Lovelace, 12 St James's Square, DE89 3704 0044 0532 0130 00"
BODIES = {
    json.dumps({"customer": {"name": SECRET}, "amount": 1234.5, "last4": "4242"}): (
        '{"customer": {"name": "…"}, "amount": 9999.9, "last9": "…"}'
    ),
    json.dumps({"amount": -17, "note": 'quoted "text" and \\ more'}): (
        '{"amount": -99, "note": "…"}'
    ),
    '{"tags": ["a:b", "c" , "d"], "on" : true, "off": null}': (
        '{"tags": ["…", "…" , "…"], "on" : true, "off": null}'
    ),
    '["key-like": "broken"]': '["xxx-xxxx": "xxxxxx"]',
    '{"name": "Zoë Müller-Кузнецов 東京", "open': '{"xxxx": "xxx xxxxxx-xxxxxxxx xx", "xxxx',
    "plain Text_1": "xxxxx xxxx_x",
    '"only a text"': '"…"',
    "17": "99",
    "": "",
    "[" * 9_000: "[" * 9_000,
}
INSERT = text("""
    INSERT INTO rejected_events (eventhub_namespace, event_hub, partition_id, sequence_number,
                                 event_index, body_hash, reason, detail, body, rejected_at)
    VALUES ('namespace', 'payments', '0', :number, 0, :body_hash, :reason, 'detail', :body,
            :rejected_at)
""")


@pytest.fixture(scope="module")
def stored(new_store: NewStore) -> Iterator[Store]:
    """A store with forty events that were refused in one instant, and one before."""
    with new_store() as store:
        with store.connection() as connection:
            for number, reason in enumerate(["too_deep"] * 10 + ["not_json"] * 30):
                row = {"number": number % 2, "body_hash": bytes([number] * 16), "body": SECRET}
                connection.execute(INSERT, {**row, "reason": reason, "rejected_at": NOW})
            row = {"number": 9, "body_hash": b"x" * 16, "body": "{}", "reason": "wrong_type"}
            before = NOW - timedelta(hours=3)
            connection.execute(INSERT, {**row, "rejected_at": before})
        yield store


@pytest.fixture(scope="module")
def api(stored: Store) -> ApiClient:
    return ApiClient(stored.reader_url, NOW + timedelta(minutes=1))


def masked(store: Store, body: str) -> str:
    found: str = store.value("SELECT masked_event_body(:body)", body=body)
    return found


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body[:20])
def test_of_a_body_only_the_shape_is_left(stored: Store, body: str) -> None:
    assert masked(stored, body) == BODIES[body]


KEYS = st.sampled_from(["id", "amount", "customer"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(value=VALUES, ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_masked_json_is_json_of_the_same_shape(
    stored: Store, *, value: object, ascii_only: bool, indent: int | None
) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent).replace("\\u0000", "")
    found = masked(stored, body.replace("\0", ""))
    assert not re.search("[0-8]", found)
    assert re.sub(r'"…"|[9.eE+-]+|true|false|null|"(id|amount|customer)"', "", found) == (
        re.sub(r'"(?:[^"\\]|\\.)*"|[0-9.eE+-]+|true|false|null', "", body)
    )


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_of_what_is_no_json_no_character_of_a_word_is_left(stored: Store, told: str) -> None:
    found = masked(stored, f"{{{told}")
    assert len(found) == len(told) + 1
    assert not [each for each in found if each.isalnum() and each != "x"]
    assert found.isascii()


def test_a_long_body_is_masked_in_no_time(stored: Store) -> None:
    body = json.dumps([{"a": "b\\" * 3, "c": at} for at in range(700)])[: 16 * 1024 - 1]
    for each in (body, body[: body.rindex("}") + 1] + "]"):
        (plan,) = stored.rows(
            "EXPLAIN (ANALYZE, FORMAT JSON)"
            " SELECT masked_event_body(:body) FROM generate_series(1, 20)",
            body=each,
        )[0]
        assert plan[0]["Execution Time"] / 20 < 50, "milliseconds for a body"


def test_pages_hold_every_event_of_one_instant_once(api: ApiClient, stored: Store) -> None:
    found = api.all_items("rejected?limit=7")
    assert len(found) == 41
    assert found == api.items("rejected?limit=1000")
    assert found[-1]["masked_body"] == "{}"
    assert SECRET not in json.dumps(found)
    places = stored.value("SELECT count(DISTINCT row_place) FROM masked_rejected_events")
    assert places == 41


def test_reasons_are_counted(api: ApiClient) -> None:
    assert api.all_items("rejected/reasons?limit=1") == [
        {"reason": "not_json", "count": 30},
        {"reason": "too_deep", "count": 10},
        {"reason": "wrong_type", "count": 1},
    ]
    assert len(api.items("rejected?reason=too_deep&reason=wrong_type")) == 11
    assert api.items(f"rejected/reasons?from={utc(NOW)}&to={utc(NOW + timedelta(seconds=1))}") == [
        {"reason": "not_json", "count": 30},
        {"reason": "too_deep", "count": 10},
    ]


def test_bodies_as_they_came_are_no_readers(stored: Store) -> None:
    allowed = stored.value(
        f"SELECT has_column_privilege('{READER}', 'rejected_events', 'body', 'SELECT')"
    )
    assert not allowed


# Quotes, escapes, e-mail addresses that take a quote with them when they are redacted, and our own
# words: whatever may make a secret look as if it stood outside of what was found.
ODD = [
    "Zzsecret M. +49 170 1234567",
    "it's Zzsecret",
    'say "Zzsecret',
    """it's "Zzsecret" """,
    "ada@example.com Zzsecret",
    "Zzsecret ada@example.com",
    "Zzsecret is none of a@b.de",
    "a' is none of Zzsecret",
    "a is no ISO 4217 Zzsecret",
    "a, found Zzsecret",
    "a\\u0027 is none of Zzsecret, or",
    "a\nZzsecret\t",
    "Zzsecret\U000e0001",
    "ä-Zzsecret",
]
MESSAGES = {
    "currency": "… is no ISO 4217 currency",
    "payment_method": "… is none of credit_card, ",
    "payment_status": "… is none of completed, ",
    "event_time": "expected an RFC 3339 time with offset such as 2026-01-31T23:59:59.5Z, found …",
    "amount": 'expected a decimal such as "10.50", found ',
}


def told(store: Store, *events: bytes) -> list[str]:
    """Return what readers are told of the events, which are all refused."""
    sent = [message(each, number) for number, each in enumerate(events)]
    store.metrics.process_batch(sent, now=NOW)
    url, now = store.reader_url, store.value("SELECT now() + interval '1 s'")
    found = ApiClient(url, now).all_items("rejected")
    return [each["detail"] for each in sorted(found, key=lambda each: each["sequence_number"])]


@pytest.mark.parametrize("field", MESSAGES)
def test_of_what_was_wrong_no_text_is_told(new_store: NewStore, field: str) -> None:
    events = [payment_event(**{field: odd}) for odd in ODD]
    with new_store() as store:
        found = told(store, *(json.dumps(each).encode() for each in events))
        assert len(found) == len(ODD)
        for each in found:
            assert each.startswith(MESSAGES[field])
            assert "secret" not in each
            assert "170" not in each
        table = store.value("SELECT string_agg(detail, ' ') FROM rejected_events")
        assert "secret" in table, "who mends the producer sees it"


def test_short_codes_and_our_own_words_are_told(new_store: NewStore) -> None:
    events: dict[bytes, str] = {
        _event(currency="XXQ"): "'XXQ' is no ISO 4217 currency",
        _event(payment_status="charged_back"): "'charged_back' is none of completed, failed,"
        " pending, cancelled, refunded",
        _event(event_time="yesterday"): "expected an RFC 3339 time with offset such as"
        " 2026-01-31T23:59:59.5Z, found 'yesterday'",
        _event(event_time="0001-01-01T00:00:00+05:00"): "… lies outside the years 1 to 9999 in UTC",
        _event(amount=True): 'expected a decimal such as "10.50", found true',
        _event(amount="x" * 99): 'expected a decimal such as "10.50", found 101 bytes of text',
        _event(amount="1.234"): "EUR has 2 decimals, found 3",
        _event(amount="9" * 17): "an amount has at most 15 digits, found 17",
        _event(amount="-1"): "an amount is zero or more; a refund too",
        _event(metadata=[1]): "metadata is expected to be an object",
        _event(transaction_id=7): "Expected `str`, got `int` - at `$.transaction_id`",
        _event(note="\0"): "note holds NUL or half of a surrogate pair",
        _event(**{"Max Mustermann 7": "\0"}): "… holds NUL or half of a surrogate pair",
        _event(**{"Max" * 400: "\0"}): "…",
        b"17": "expected a payment event as JSON object, found int",
        b"{nonsense": "the event is no JSON: JSON is malformed: object keys must be strings"
        " (byte 1)",
        b'{"a": "\xff"}': "the event is no valid UTF-8",
    }
    with new_store() as store:
        assert told(store, *events) == list(events.values())


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        ('invalid input syntax for type json: "Max "M" x" (SQLSTATE 22P02)', "json: … (SQLSTATE"),
        ("Invalid isoformat string: '2026-01-31T99:99:99Z'", "Invalid isoformat string: …"),
    ],
)
def test_what_the_database_quotes_is_not_told(new_store: NewStore, detail: str, shown: str) -> None:
    row = {"number": 1, "body_hash": b"y" * 16, "body": "{}", "rejected_at": NOW}
    with new_store() as store:
        with store.connection() as connection:
            connection.execute(INSERT, {**row, "reason": "refused_by_database"})
            connection.execute(text("UPDATE rejected_events SET detail = :d"), {"d": detail})
        found = store.value("SELECT detail FROM masked_rejected_events")
        assert shown in found
        assert "M" not in found


def _event(**fields: Any) -> bytes:
    return json.dumps(payment_event(**fields)).encode()


def test_an_event_that_the_engine_refuses_is_told_with_its_place(new_store: NewStore) -> None:
    with new_store() as store:
        refused = message({"transaction_id": "t", "customer": {"id": SECRET}}, 7, "3")
        store.metrics.process_batch([refused], now=NOW)
        for url in (store.writer_url, store.reader_url):
            (found,) = ApiClient(url, store.value("SELECT now() + interval '1 s'")).items(
                "rejected"
            )
            place = ("namespace", "payments", "3", 7, 0)
            assert tuple(found.values())[3:8] == place
            assert found["masked_body"] == '{"transaction_id": "…", "customer": {"id": "…"}}'
