"""What stands in the message stands in the database: to the last digit and character."""

from datetime import timedelta
from typing import Any

import pytest
from oracle import expected_of
from payment_messages import NOW, WINDOW_START, message, messages, payment_event
from store_fixtures import Store
from stored_state import assert_stored

AWKWARD_TEXTS = {
    "tab": "a\tb",
    "newlines": "a\nb\r\nc\r",
    "backslashes": "\\ \\\\ \\t \\n \\x41 \\101",
    "end of COPY": "\\.",
    "null of COPY": "\\N",
    "end of COPY on a line of its own": "\n\\.\n",
    "quotes": "'\"`$$''",
    "SQL": "'); DROP TABLE normalized_transactions; --",
    "format": "%s %(name)s :name {0}",
    "unicode": "Ünïcødé 支付 \U0001f4b3 e\u0301",
    "right to left": "\u202etxt\u2066 \u200b",
    "separators": "\u2028\u2029\u0085\x1c\x0b\x0c",
    "spaces": "  lead and trail  ",
}


@pytest.mark.parametrize("text", AWKWARD_TEXTS.values(), ids=AWKWARD_TEXTS.keys())
def test_awkward_text_is_only_data(shared_store: Store, text: str) -> None:
    shared_store.empty()
    sent = messages(
        payment_event(
            text,
            customer={"id": text},
            merchant={"id": text, "name": text, "category": text},
            counterparty={"id": text},
            original_transaction_id=text,
            metadata={text: [text]},
        ),
        payment_event("neighbour"),
    )
    shared_store.metrics.process_batch(sent, now=NOW)
    with shared_store.connection() as connection:
        assert_stored(connection, expected_of(sent, NOW))
    found = shared_store.rows(
        "SELECT merchant_name, merchant_category FROM payments WHERE transaction_id = :text",
        text=text,
    )
    assert found == [(text, text)]


@pytest.mark.parametrize("text", AWKWARD_TEXTS.values(), ids=AWKWARD_TEXTS.keys())
def test_awkward_text_of_a_rejected_event_is_only_data(shared_store: Store, text: str) -> None:
    shared_store.empty()
    sent = messages(payment_event(text, currency=text[:30]), text.encode(), payment_event())
    result = shared_store.metrics.process_batch(sent, now=NOW)
    assert (result.stored, result.rejected) == (1, 2)
    found = shared_store.rows("SELECT body FROM rejected_events WHERE sequence_number = 1")
    assert found == [(text,)]


@pytest.mark.parametrize(
    ("currency", "amount"),
    [
        ("JPY", "123456789012345"),
        ("JPY", "1"),
        ("KWD", "123456789012.345"),
        ("KWD", "0.001"),
        ("EUR", "9999999999999.99"),
        ("EUR", "0.01"),
        ("EUR", "0"),
    ],
)
@pytest.mark.parametrize("quoted", [True, False], ids=["string", "number"])
def test_amounts_are_exact(shared_store: Store, currency: str, amount: str, quoted: bool) -> None:  # noqa: FBT001 - a parameter of the test
    shared_store.empty()
    text = f'"{amount}"' if quoted else amount
    event = payment_event(currency=currency, amount=None)
    body = b'{"amount": ' + text.encode() + b", " + message(event).body[1:]
    other = payment_event("other", currency=currency, amount=amount)
    sent = messages(body, other)
    shared_store.metrics.process_batch(sent, now=NOW)
    with shared_store.connection() as connection:
        assert_stored(connection, expected_of(sent, NOW))


@pytest.mark.parametrize(
    "metadata",
    [
        '{"a": 0.1, "b": 12345678901234567890123.000000000000000001}',
        '{"b": 1e5, "a": {"deep": [1, null, true, ""]}}',
        "{}",
        '{"quote": "\\"", "slash": "\\\\", "tab": "\\t", "unicode": "\\u00e9"}',
    ],
)
def test_metadata_are_kept_as_json(shared_store: Store, metadata: str) -> None:
    shared_store.empty()
    body = b'{"metadata": ' + metadata.encode() + b", " + message(payment_event()).body[1:]
    shared_store.metrics.process_batch([message(body)], now=NOW)
    stored, expected = shared_store.rows(
        "SELECT metadata, CAST(:metadata AS jsonb) FROM payments", metadata=metadata
    )[0]
    assert stored == expected


def test_null_metadata_are_none(store: Store) -> None:
    body = b'{"metadata": null, ' + message(payment_event()).body[1:]
    store.metrics.process_batch([message(body)], now=NOW)
    assert store.rows("SELECT metadata IS NULL FROM normalized_transactions") == [(True,)]


EDGES: dict[str, tuple[str, Any]] = {
    "before an edge by 100 ns": ("04:59.9999999Z", 0),
    "at an edge": ("05:00Z", 1),
    "after an edge by 1 microsecond": ("05:00.000001Z", 1),
}


@pytest.mark.parametrize(("text", "window"), EDGES.values(), ids=EDGES.keys())
def test_an_instant_is_counted_in_its_window(shared_store: Store, text: str, window: int) -> None:
    shared_store.empty()
    event = payment_event(event_time=f"{WINDOW_START:%Y-%m-%dT%H}:{text}")
    sent = [message(event)]
    shared_store.metrics.process_batch(sent, now=NOW)
    with shared_store.connection() as connection:
        assert_stored(connection, expected_of(sent, NOW))
    expected = WINDOW_START + window * timedelta(minutes=5)
    assert shared_store.value("SELECT window_start FROM payment_windows") == expected


def test_the_earliest_enqueued_time_of_the_batch_is_kept(store: Store) -> None:
    early, late = NOW - timedelta(minutes=2), NOW - timedelta(minutes=1)
    sent = [
        message(payment_event("a"), 1, enqueued_at=late),
        message(payment_event("b"), 2, enqueued_at=early),
        message(payment_event("c"), 3),
    ]
    store.metrics.process_batch(sent, now=NOW)
    found = store.rows("SELECT DISTINCT enqueued_at FROM payments")
    assert found == [(early,)]


def test_an_unknown_enqueued_time_is_none(store: Store) -> None:
    store.metrics.process_batch([message(payment_event())], now=NOW)
    assert store.rows("SELECT enqueued_at FROM payments") == [(None,)]


def test_codes_are_stored_that_the_views_turn_back_into_names(store: Store) -> None:
    event = payment_event(
        payment_method="credit_card",
        payment_status="refunded",
        channel="web",
        device_type="mobile",
        customer={"id": "c", "country": "DE", "email": "Ada@Example.com"},
        merchant={"id": "m", "country": "FR", "mcc": "0763"},
        counterparty={"id": "k", "country": "US"},
        card={"brand": "visa", "bin": "411111", "last4": "0042", "fingerprint": "f"},
        original_transaction_id="txn-0",
    )
    store.metrics.process_batch([message(event)], now=NOW)
    found = store.rows("""
        SELECT payment_method, payment_status, channel, device_type, customer_country,
               merchant_country, counterparty_country, merchant_mcc, customer_email_domain,
               card_brand, card_bin, card_last4, original_transaction_id, quality_flags
        FROM payments
    """)
    assert found == [
        (
            *("credit_card", "refunded", "web", "mobile", "DE", "FR", "US", 763),
            *("example.com", "visa", "411111", "0042", "txn-0", ["country_mismatch"]),
        )
    ]


def test_no_address_and_no_card_number_reaches_any_table(store: Store) -> None:
    store.metrics.process_batch(
        messages(
            payment_event("a", metadata={"note": "ada@example.com 4111 1111 1111 1111"}),
            payment_event("4111111111111111"),
            payment_event("b", currency="ada@example.com"),
            b"4111111111111111 ada@example.com",
        ),
        now=NOW,
    )
    whole = ""
    for table in ("normalized_transactions", "rejected_events", "dynamic_metrics"):
        whole += str(store.rows(f"SELECT to_jsonb(each)::text FROM {table} AS each"))
    assert "ada@" not in store.value("SELECT string_agg(body || detail, ' ') FROM rejected_events")
    for hidden in ("4111111111111111", "4111 1111 1111 1111"):
        assert hidden not in whole
