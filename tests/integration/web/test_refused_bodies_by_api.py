"""What was refused is told by reason and place; of its body only the shape."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from api_client import ApiClient, utc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from payment_messages import NOW, message
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
