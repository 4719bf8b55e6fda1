import json
import re
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.domain.payment_samples import array_of, body_of, decode
from unit.domain.payment_strategies import JSON_VALUES, VALID_EVENTS, mutated_events

from shared_code.domain.card_numbers import find_card_numbers
from shared_code.domain.decoding import DecodedBatch

# Digits behind the point of a JSON number are no card number.
_FRACTION = re.compile(r"(?<=[0-9])\.[0-9]+")
SLOW_INPUT = settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
# Pieces that mean something to JSON, to UTF-8, or to what looks for card numbers.
PIECES = st.sampled_from(
    [
        *[bytes([byte]) for byte in b'[]{},:"\\ \n-0\x00\xc3\xff'],
        *[b"\\u0041", b"\\ud800", b"\\ude00", b"\\u0000", b"\\u003", b"\xed\xa0\x80"],
        *[b"null", b"true", b"NaN", b"1e999999999999999999", b"9" * 4400],
        *[b"4111111111111111", b"4.111111111111111E15"],
        *[b"[" * 1200, b'{"a":' * 1200],
    ]
)


@st.composite
def damaged(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Return a body with pieces cut out and others put in."""
    body = draw(whole)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(body)))
        end = min(len(body), start + draw(st.sampled_from([0, 0, 1, 1, 2, 20])))
        body = body[:start] + draw(PIECES | st.binary(max_size=4)) + body[end:]
    return body


PACKED = st.lists(VALID_EVENTS.map(body_of), min_size=1, max_size=3).map(
    lambda all_: array_of(*all_)
)


def indexes(batch: DecodedBatch) -> list[int]:
    """Return the places of all that became of the events, in order."""
    return sorted(
        [place.event_index for place in batch.payments]
        + [refused.event_index for refused in batch.rejected]
    )


def assert_fit_to_be_stored(batch: DecodedBatch) -> None:
    """Check that no text is left that a database refuses or a card number that nobody may see."""
    for place in batch.payments:
        payment = place.accepted.payment
        texts = [
            value for value in msgspec.structs.asdict(payment).values() if isinstance(value, str)
        ]
        for text in [*texts, place.accepted.metadata or ""]:
            text.encode()
            assert "\0" not in text
            assert "\\u0000" not in text.replace("\\\\", "")
            assert find_card_numbers(_FRACTION.sub("", text)) == []
    for refused in batch.rejected:
        for text in (refused.detail, refused.body):
            text.encode()
            assert "\0" not in text
            assert find_card_numbers(text) == []


@given(body=st.binary(max_size=200))
def test_any_bytes_are_accounted_for(body: bytes) -> None:
    batch = decode(body)
    assert indexes(batch) == list(range(len(indexes(batch))))
    assert_fit_to_be_stored(batch)


@SLOW_INPUT
@given(body=damaged(VALID_EVENTS.map(body_of) | PACKED))
def test_damaged_message_never_raises_and_loses_no_place(body: bytes) -> None:
    batch = decode(body)
    assert indexes(batch) == list(range(len(indexes(batch))))
    assert_fit_to_be_stored(batch)


@SLOW_INPUT
@given(body=damaged(PACKED))
def test_every_event_of_a_valid_array_is_accounted_for(body: bytes) -> None:
    try:
        events = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return
    if isinstance(events, list):
        assert indexes(decode(body)) == list(range(len(events)))


@SLOW_INPUT
@given(items=st.lists(mutated_events() | JSON_VALUES, max_size=6), ascii_only=st.booleans())
def test_every_item_is_judged_as_if_it_were_alone(*, items: list[Any], ascii_only: bool) -> None:
    texts = [
        json.dumps(item, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass") for item in items
    ]
    batch = decode(array_of(*texts))
    assert indexes(batch) == list(range(len(items)))
    for place in batch.payments:
        (alone,) = decode(texts[place.event_index]).payments
        assert place.accepted == alone.accepted
    for refused in batch.rejected:
        (alone,) = decode(array_of(texts[refused.event_index])).rejected
        assert (refused.reason, refused.body) == (alone.reason, alone.body)


@SLOW_INPUT
@given(event=VALID_EVENTS)
def test_the_careful_way_reads_what_the_fast_way_reads(event: dict[str, Any]) -> None:
    fast = body_of(event)
    careful = fast[:-1] + b',"escaped":"\\u0041"}'
    (one,), (other,) = decode(fast).payments, decode(careful).payments
    assert one.accepted.payment == other.accepted.payment
    assert one.accepted.quality_flags == other.accepted.quality_flags
    assert one.accepted.content_hash == other.accepted.content_hash
    assert (one.accepted.metadata is None) == (other.accepted.metadata is None)
    if one.accepted.metadata is not None:
        assert json.loads(one.accepted.metadata) == json.loads(other.accepted.metadata)


@SLOW_INPUT
@given(damage=damaged(VALID_EVENTS.map(body_of)), before=VALID_EVENTS, behind=VALID_EVENTS)
def test_damage_that_keeps_its_brackets_harms_no_neighbour(
    damage: bytes, before: dict[str, Any], behind: dict[str, Any]
) -> None:
    first = body_of(before | {"transaction_id": "first"})
    last = body_of(behind | {"transaction_id": "last"})
    batch = decode(array_of(first, damage, last))
    if len(indexes(batch)) == 3:
        assert {batch.payments[0].event_index, batch.payments[-1].event_index} == {0, 2}
    else:
        # Brackets or quotes no longer add up: refused whole, or taken for more or fewer items.
        assert batch.rejected
