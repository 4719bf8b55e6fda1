import hashlib
import time
from collections.abc import Callable

import msgspec
import pytest
from unit.domain.payment_samples import (
    CARD_NUMBERS,
    ORIGIN,
    array_of,
    body_of,
    decode,
    payment_event,
)

from shared_code.domain.decoding import reject
from shared_code.domain.normalised_payment import HASH_BYTES
from shared_code.domain.refusal import EventRefused
from shared_code.domain.vocabularies import QualityFlag, RejectReason

FIRST = body_of(payment_event(transaction_id="first"))
LAST = body_of(payment_event(transaction_id="last", metadata={"a": 0.1}))


def good_but(find: bytes, replacement: bytes) -> bytes:
    """Return a good event in which one piece of JSON text is another."""
    text = body_of(payment_event(transaction_id="bad"))
    assert find in text
    return text.replace(find, replacement)


def with_field(json_text: bytes) -> bytes:
    """Return a good event with one more field as JSON text."""
    return body_of(payment_event(transaction_id="bad"))[:-1] + b"," + json_text + b"}"


NOT_JSON = [
    b"", b"tru", b"nul", b"'text'", b"{bad}", b'{"a" 1}', b'{"a":1,}', b'{"a":01}', b'{"a":+1}',
    b'{"a":NaN}', b'{"a":-Infinity}', b'{"a":1.}', b'{"a":0x10}', b"{]",
    with_field(b'"a":"\\x"'), with_field(b'"a":"\\uZZZZ"'), with_field(b'"a":"\n"'),
    good_but(b"bad", b"b\x00d"), good_but(b"bad", b"b\x1fd"),
]  # fmt: skip
BAD_NEIGHBOURS = [
    *[(text, "not_json") for text in NOT_JSON],
    (b"null", "not_an_object"),
    (b"1", "not_an_object"),
    (b'"text"', "not_an_object"),
    (b"[]", "not_an_object"),
    (b"[" * 100_000 + b"]" * 100_000, "too_deep"),
    (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, "too_deep"),
    (with_field(b'"metadata":{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}"), "too_deep"),
    (with_field(b'"metadata":{"a":' + b"[" * 70 + b"]" * 70 + b"}"), "too_deep"),
    (with_field(b'"metadata":{"a":"\\u0041","b":' + b"[" * 70 + b"]" * 70 + b"}"), "too_deep"),
    (with_field(b'"later":["\\u0041",' + b"[" * 1500 + b"]" * 1500 + b"]"), "too_deep"),
    (b"{}", "missing_field"),
    (good_but(b'"currency"', b'"c"'), "missing_field"),
    (good_but(b'"bad"', b"1"), "wrong_type"),
    (good_but(b'"bad"', b"4111111111111111"), "wrong_type"),
    (good_but(b'"bad"', b"null"), "wrong_type"),
    (with_field(b'"customer":[]'), "wrong_type"),
    (with_field(b'"metadata":"text"'), "wrong_type"),
    (with_field(b'"metadata":{"a":1e400}'), "wrong_type"),
    (with_field(b'"metadata":{"a":"\\u0041","b":1e99999999999999999999}'), "wrong_type"),
    (with_field(b'"metadata":{"a":' + b"9" * 5000 + b"}"), "wrong_type"),
    (good_but(b'"bad"', b'""'), "invalid_length"),
    (good_but(b"bad", b"x" * 65), "invalid_length"),
    (good_but(b"bad", b"\\u0000"), "invalid_text"),
    (good_but(b"bad", b"\\ud83d"), "invalid_text"),
    (good_but(b"bad", b"\\ude00"), "invalid_text"),
    (good_but(b"bad", b"\\ud83d\\ud83d\\ude00"), "invalid_text"),
    (good_but(b"bad", b"\xff"), "invalid_text"),
    (good_but(b"bad", b"\xed\xa0\x80"), "invalid_text"),
    (with_field(b'"metadata":{"a":"\xff"}'), "invalid_text"),
    (with_field(b'"metadata":{"\\u0000":1}'), "invalid_text"),
    (good_but(b'"10.50"', b'"ten"'), "invalid_amount"),
    (good_but(b'"10.50"', b"null"), "invalid_amount"),
    (good_but(b'"10.50"', b'"\\u0031"'), None),
    (good_but(b'"10.50"', b"1" * 5000), "too_many_digits"),
    (good_but(b'"10.50"', b"1e999"), "too_many_digits"),
    (good_but(b'"10.50"', b"-1"), "negative_amount"),
    (good_but(b'"10.50"', b"0.001"), "too_many_decimals"),
    (good_but(b"EUR", b"EURO"), "unknown_currency"),
    (good_but(b"bank_transfer", b"barter"), "unknown_payment_method"),
    (good_but(b'"completed"', b'"done"'), "unknown_payment_status"),
    (good_but(b"2026-01-31T", b"2026-01-31 "), "invalid_event_time"),
    (good_but(b"2026-01-31T", b"2020-01-31T"), "outside_horizon"),
    (with_field(b'"metadata":{"a":"' + b"x" * 17_000 + b'"}'), "metadata_too_large"),
]


@pytest.mark.parametrize("escape", [b"", b'"escaped":"\\u0041"', b'"n":4111111111111111'])
@pytest.mark.parametrize(("bad", "reason"), BAD_NEIGHBOURS, ids=lambda value: repr(value)[:50])
def test_bad_event_is_refused_alone_and_its_neighbours_are_stored(
    bad: bytes, reason: str | None, escape: bytes
) -> None:
    last = LAST if not escape else LAST[:-1] + b"," + escape + b"}"
    batch = decode(array_of(FIRST, bad, last))
    refused = [] if reason is None else [(1, RejectReason[reason])]
    assert [(found.event_index, found.reason) for found in batch.rejected] == refused
    stored = [(at.event_index, at.accepted.payment.transaction_id) for at in batch.payments]
    assert stored[0] == (0, "first")
    assert stored[-1] == (2, "last")
    assert len(stored) + len(refused) == 3


def test_every_reason_that_decoding_can_give_has_its_neighbour() -> None:
    given_elsewhere = {RejectReason.conflicting_duplicate, RejectReason.refused_by_database}
    reasons = {RejectReason[reason] for _, reason in BAD_NEIGHBOURS if reason}
    assert reasons | given_elsewhere == set(RejectReason)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_json"),
        (b" \n", "not_json"),
        (b"\x00\xff", "not_json"),
        (b"[" + FIRST, "not_json"),
        (FIRST + FIRST, "not_json"),
        (b"[" + FIRST + b',{"a":"]', "not_json"),
        (b"\xef\xbb\xbf" + FIRST, "not_json"),
        (FIRST.decode().encode("utf-16"), "not_json"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a":' * 100_000, "too_deep"),
        (b'"text"', "not_an_object"),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_unreadable_message_is_refused_whole_and_the_next_is_stored(
    body: bytes, reason: str | None
) -> None:
    batch = decode(FIRST, body, LAST)
    (refused,) = batch.rejected
    assert (refused.event_index, refused.reason) == (0, RejectReason[reason])
    assert refused.origin.sequence_number == ORIGIN.sequence_number + 1
    assert [at.accepted.payment.transaction_id for at in batch.payments] == ["first", "last"]


def test_one_object_and_an_array_of_one_are_the_same_payment() -> None:
    (alone,), (packed,) = decode(FIRST).payments, decode(b" \r\n\t[" + FIRST + b"]\n").payments
    assert alone == packed


def test_array_of_nothing_holds_no_event() -> None:
    assert decode(b"[]", b" [ ] ") == ([], [])


def test_order_and_places_are_those_of_arrival() -> None:
    bodies = [array_of(FIRST, LAST), LAST, array_of(b"{}", FIRST)]
    batch = decode(*bodies)
    places = [
        (at.origin.sequence_number - ORIGIN.sequence_number, at.event_index)
        for at in batch.payments
    ]
    assert places == [(0, 0), (0, 1), (1, 0), (2, 1)]


def test_last_of_two_equal_keys_counts() -> None:
    for escape in (b"", b',"e":"\\u0041"'):
        twice = FIRST[:-1] + b',"transaction_id":"again"' + escape + b"}"
        (payment,) = decode(twice).payments
        assert payment.accepted.payment.transaction_id == "again"


def test_json_number_keeps_its_digits_on_every_way() -> None:
    for extra in (b"", b',"e":"\\u0041"', b',"card":{"fingerprint":"4111111111111111"}'):
        for number, amount in (
            (b"0.1", "0.10"),
            (b"1e2", "100.00"),
            (b"9999999999999.99", "9999999999999.99"),
        ):
            (payment,) = decode(good_but(b'"10.50"', number)[:-1] + extra + b"}").payments
            assert str(payment.accepted.payment.amount) == amount


def test_escaped_pair_of_surrogates_is_one_character() -> None:
    (payment,) = decode(good_but(b"bad", b"\\ud83d\\ude00 \\\\ud83d")).payments
    assert payment.accepted.payment.transaction_id == "😀 \\ud83d"


def test_absurd_exponent_in_an_ignored_field_harms_nobody() -> None:
    field = b'"later":{"a":"\\u0041","b":1e99999999999999999999,"c":-1E-99999999999999999999}'
    assert len(decode(with_field(field)).payments) == 1


def test_evidence_is_the_text_of_the_event_alone() -> None:
    bad = good_but(b"EUR", b"XXX")
    (refused,) = decode(array_of(FIRST, bad, LAST)).rejected
    assert refused.body == bad.decode().replace("ada@example.com", "<e-mail>")
    assert refused.body_hash == hashlib.blake2b(bad, digest_size=HASH_BYTES).digest()
    assert refused.detail == "'XXX' is no ISO 4217 currency"


def test_same_message_delivered_twice_is_refused_in_the_same_words() -> None:
    body = array_of(FIRST, b"{}", good_but(b"bad", b"\\ud83d"), b"{x}")
    assert decode(body) == decode(body)


def test_detail_is_redacted_and_bounded() -> None:
    detail = f"paid with {CARD_NUMBERS['visa']} by ada@example.com \0" + "x" * 5000
    kept = reject(ORIGIN, 7, b"{}", EventRefused(RejectReason.wrong_type, detail))
    assert kept.detail.startswith("paid with 411111******1111 by <e-mail> x")
    assert len(kept.detail) == 1000
    assert (kept.origin, kept.event_index, kept.body) == (ORIGIN, 7, "{}")


VISA = CARD_NUMBERS["visa"]
HIDDEN = {
    "plain": VISA.encode(),
    "spaced": b"4111 1111 1111 1111",
    "hyphened": b"4111-1111-1111-1111",
    "escaped": "".join(f"\\u{ord(digit):04x}" for digit in VISA).encode(),
    "one digit escaped": b"\\u0034" + VISA[1:].encode(),
    "hyphen escaped": b"4111\\u002d1111\\u002d1111\\u002d1111",
    "among words": b"card " + VISA.encode() + b", thank you",
}
PLACES = {
    "transaction_id": lambda text: good_but(b"bad", text),
    "currency": lambda text: good_but(b"EUR", text),
    "method": lambda text: good_but(b"bank_transfer", text),
    "status": lambda text: good_but(b'"completed"', b'"' + text + b'"'),
    "time": lambda text: good_but(b"2026-01-31T11:59:59.123456Z", text),
    "amount": lambda text: good_but(b"10.50", b"ten " + text),
    "amount, cut at forty": lambda text: good_but(b"10.50", b"paid by the card " + text),
    "e-mail": lambda text: good_but(b"ada@", text + b"@"),
    "merchant name": lambda text: with_field(b'"merchant":{"name":"' + text + b'"}'),
    "bin": lambda text: with_field(b'"card":{"bin":"' + text + b'"}'),
    "fingerprint": lambda text: with_field(b'"card":{"fingerprint":"' + text + b'"}'),
    "original": lambda text: with_field(b'"original_transaction_id":"' + text + b'"'),
    "metadata": lambda text: with_field(b'"metadata":{"a":[{"b":"' + text + b'"}]}'),
    "metadata key": lambda text: with_field(b'"metadata":{"' + text + b'":1}'),
    "unknown field": lambda text: with_field(b'"later":"' + text + b'"'),
    "unknown key": lambda text: with_field(b'"' + text + b'":1'),
    "refused event": lambda text: good_but(b"EUR", b"XXX")[:-1] + b',"a":"' + text + b'"}',
    "no object": lambda text: b'"' + text + b'"',
    "no JSON": lambda text: b'{"a" "' + text + b'"}',
    "no text": lambda text: b'{"a":"\xff ' + text + b'"}',
    "cut off": lambda text: b'{"a":"' + text,
}


def everything_kept_of(*bodies: bytes) -> str:
    """Return all text that decoding lets through, masked numbers closed up again."""
    batch = decode(*bodies)
    kept = [repr(refused) for refused in batch.rejected]
    for place in batch.payments:
        fields = msgspec.structs.asdict(place.accepted.payment)
        kept += [repr(fields), repr(place.accepted.metadata)]
    return " ".join(kept).replace(" ", "").replace("-", "")


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_no_full_card_number_gets_through_anywhere(
    place: Callable[[bytes], bytes], hidden: bytes
) -> None:
    bad = place(hidden)
    assert VISA[:11] not in everything_kept_of(bad)
    assert VISA[:11] not in everything_kept_of(array_of(FIRST, bad, LAST))


@pytest.mark.parametrize(
    "number",
    [
        b"4111111111111111",
        b"4.111111111111111E15",
        b"4111111111111111.0",
        b"-4.111111111111111e+15",
    ],
)
@pytest.mark.parametrize(
    "field", [b'"metadata":{"n":%b}', b'"later":%b', b'"merchant":{"name":%b}']
)
def test_no_card_number_gets_through_as_a_json_number(field: bytes, number: bytes) -> None:
    kept = everything_kept_of(with_field(field % number))
    assert VISA[:11] not in kept
    assert VISA[:11] not in kept.replace(".", "")


def test_card_number_is_flagged_and_becomes_the_fingerprint() -> None:
    (place,) = decode(with_field(b'"metadata":{"note":"\\u0034111 1111 1111 1111"}')).payments
    accepted = place.accepted
    assert accepted.quality_flags & QualityFlag.card_number_present
    assert (accepted.payment.card_bin, accepted.payment.card_last4) == ("411111", "1111")
    assert len(accepted.payment.card_fingerprint) == 32
    assert accepted.metadata == '{"note":"411111******1111"}'


def test_card_numbers_as_identifiers_stay_apart() -> None:
    bodies = [good_but(b"bad", CARD_NUMBERS[name].encode()) for name in ("visa", "mastercard")]
    ids = {place.accepted.payment.transaction_id for place in decode(*bodies, *bodies).payments}
    assert len(ids) == 2
    assert all(name.startswith("masked-") for name in ids)


HOSTILE = {
    "letters": b"a" * 300_000,
    "brackets": b"[" * 300_000,
    "closed brackets": b"[" * 150_000 + b"]" * 150_000,
    "quotes": b'["' + b'\\"' * 150_000,
    "escapes": b'["' + b"\\u0041" * 50_000 + b'"]',
    "surrogates": b'["' + b"\\ud800" * 50_000 + b'"]',
    "backslashes": b'["' + b"\\" * 300_000 + b'"]',
    "digits": b"[" + b"4" * 300_000 + b"]",
    "groups of digits": b'["' + b"4 " * 40_000 + b'"]',
    "at signs": b'["' + b"a@" * 150_000 + b'"]',
    "small items": b"[" + b"1," * 20_000 + b"1]",
    "exponents": b'[{"a":"\\u0041","b":[' + b"1e9999999," * 20_000 + b"1]}]",
    "amount": good_but(b"10.50", b"1" * 300_000),
    "amount as number": good_but(b'"10.50"', b"1" * 300_000),
    "invalid text": b"\xff" * 200_000,
    "long key": b'{"\\u0041' + b"k" * 200_000 + b'":{' + b'"a":{"b":1},' * 20_000 + b'"a":1}}',
}  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_hostile_message_takes_linear_time_and_harms_no_other(body: bytes) -> None:
    started = time.perf_counter()
    batch = decode(FIRST, body, LAST)
    assert time.perf_counter() - started < 5
    stored = [place.accepted.payment.transaction_id for place in batch.payments]
    assert stored == ["first", "last"]
    assert batch.rejected
