import msgspec
import pytest
from unit.domain.payment_samples import HORIZON, NOW, PSEUDONYMISER, body_of, decode, payment_event

from shared_code.domain.horizon import horizon_at
from shared_code.domain.normalisation import normalise
from shared_code.domain.normalised_payment import HASH_BYTES
from shared_code.domain.payment_event import PaymentEvent

FULL = payment_event(
    payment_method="credit_card",
    channel="web",
    device_type="mobile",
    merchant={"id": "mer-1", "name": "Shop", "category": "food", "mcc": "5411", "country": "DE"},
    card={"brand": "visa", "bin": "411111", "last4": "1111", "fingerprint": "abc"},
    counterparty={"id": "acc-1", "country": "JP"},
    original_transaction_id="txn-0",
    metadata={"a": 1, "b": {"c": [True, None, 0.5, "x"]}},
)


def hash_of(body: bytes) -> bytes:
    (placed,) = decode(body).payments
    return placed.accepted.content_hash


def changed(path: str, value: object) -> dict:
    """Return the full event with another value at ``path``, ``a.b`` being field b of a."""
    field, _, inner = path.partition(".")
    return FULL | {field: FULL[field] | {inner: value} if inner else value}


def test_hash_is_pinned_so_that_no_release_changes_it_silently() -> None:
    assert hash_of(body_of(FULL)).hex() == "eba370718b0c0acf6e4ff62da7525f6f"
    assert hash_of(body_of(payment_event())).hex() == "846d2481861583cec6b47bc999d6910c"
    assert len(hash_of(body_of(FULL))) == HASH_BYTES


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("transaction_id", "txn-2"),
        ("event_time", "2026-01-31T11:59:59.123457Z"),
        ("amount", "10.51"),
        ("currency", "USD"),
        ("payment_method", "debit_card"),
        ("payment_status", "pending"),
        ("channel", "api"),
        ("device_type", "tablet"),
        ("customer.id", "cus-2"),
        ("customer.email", "bob@example.com"),
        ("customer.country", "FR"),
        ("merchant.id", "mer-2"),
        ("merchant.name", "Stop"),
        ("merchant.category", "fuel"),
        ("merchant.mcc", "5412"),
        ("merchant.country", "FR"),
        ("card.brand", "jcb"),
        ("card.bin", "411112"),
        ("card.last4", "1112"),
        ("card.fingerprint", "abd"),
        ("counterparty.id", "acc-2"),
        ("counterparty.country", "FR"),
        ("original_transaction_id", "txn-9"),
        ("metadata", None),
        ("metadata", {}),
        ("metadata.a", 2),
        ("metadata.a", "1"),
        ("metadata.a", True),
        ("metadata.b", {"c": [None, True, 0.5, "x"]}),
        ("metadata.d", None),
    ],
)
def test_any_change_of_content_is_another_hash(path: str, value: object) -> None:
    assert hash_of(body_of(changed(path, value))) != hash_of(body_of(FULL))


def test_value_that_moves_to_another_field_is_another_hash() -> None:
    there = body_of(payment_event(merchant={"id": "x"}))
    here = body_of(payment_event(counterparty={"id": "x"}))
    assert hash_of(there) != hash_of(here)


def test_order_of_keys_does_not_count() -> None:
    turned = {name: FULL[name] for name in reversed(FULL)}
    turned["metadata"] = {"b": {"c": [True, None, 0.5, "x"]}, "a": 1}
    assert hash_of(body_of(turned)) == hash_of(body_of(FULL))


def test_another_spelling_of_the_same_content_is_the_same_hash() -> None:
    body = body_of(FULL)
    assert hash_of(msgspec.json.format(body, indent=4)) == hash_of(body)
    assert hash_of(body.replace(b'"txn-1"', b'"t\\u0078n-1"')) == hash_of(body)
    assert hash_of(body.replace(b'"10.50"', b"10.5")) == hash_of(body)
    assert hash_of(body.replace(b"59.123456Z", b"59.1234569+00:00")) == hash_of(body)
    assert hash_of(body.replace(b"ada@", b"ADA@")) == hash_of(body)


def test_fields_that_are_ignored_do_not_count() -> None:
    assert hash_of(body_of(FULL | {"simulation": "x", "later": 1})) == hash_of(body_of(FULL))


def test_neighbours_of_every_kind_do_not_count() -> None:
    alone = hash_of(body_of(FULL))
    for neighbour in (b"{}", b"{tru}", b'{"a":"\\u0041"}', b"4111111111111111", b'"\xff"'):
        (placed,) = decode(b"[" + body_of(FULL) + b"," + neighbour + b"]").payments
        assert placed.accepted.content_hash == alone
        assert placed.accepted.metadata == '{"a": 1, "b": {"c": [true, null, 0.5, "x"]}}'


def test_time_of_arrival_does_not_count() -> None:
    event = msgspec.json.decode(body_of(FULL), type=PaymentEvent)
    earlier = horizon_at(NOW - (NOW - HORIZON.earliest) / 60, NOW - HORIZON.earliest)
    now = normalise(event, pseudonymiser=PSEUDONYMISER, horizon=HORIZON)
    then = normalise(event, pseudonymiser=PSEUDONYMISER, horizon=earlier)
    assert now.quality_flags != then.quality_flags
    assert now.content_hash == then.content_hash
