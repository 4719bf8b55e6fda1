"""Events of blocks become messages: one key each, in order, full or waited for long enough."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.generation.account import Account
from simulator.generation.blocks import Block
from simulator.generation.events import REASONS, Events
from simulator.generation.packing import Packer
from simulator.generation.timeline import BlockPlan
from simulator.message import MAX_BODY_BYTES, Message

LENGTH = 100
"""Of a block, in microseconds."""
KINDS = ("zero_amount", "negative_amount", "malformed_json")


class Row(NamedTuple):
    """One event; ``kind`` counts in its own block's names."""

    arrival: int
    key: int = 1
    body: bytes = b"{}"
    alone: bool = False
    reason: int = 0
    kind: int = 0


class Packed(NamedTuple):
    """What a packer made of blocks, by block; the last part came when it was closed."""

    packer: Packer
    parts: list[list[Message]]

    @property
    def messages(self) -> list[Message]:
        return [message for part in self.parts for message in part]


def _block(number: int, rows: Sequence[Row], names: Sequence[str] = KINDS) -> Block:
    columns = list(zip(*rows, strict=True)) or [()] * len(Row._fields)
    arrival, key, bodies, alone, reason, kind = columns
    events = Events(
        np.array(arrival, dtype=np.int64),
        np.array(key, dtype=np.uint8),
        np.array(alone, dtype=bool),
        np.array(reason, dtype=np.uint8),
        np.array(kind, dtype=np.uint8),
        list(bodies),
        ("", *names),
    )
    plan = BlockPlan(number, 0, len(rows), number * LENGTH, (number + 1) * LENGTH)
    return Block(plan, events, Account(), ())


def _packed(
    *blocks: Sequence[Row],
    pack: int = 50,
    linger: int = 50,
    repeated_share: float = 0,
    max_bytes: int = MAX_BODY_BYTES,
) -> Packed:
    packer = Packer(pack=pack, linger=linger, repeated_share=repeated_share, max_bytes=max_bytes)
    parts = [list(packer.take(_block(number, rows))) for number, rows in enumerate(blocks)]
    return Packed(packer, [*parts, list(packer.close())])


def _bodies(packed: Packed) -> list[bytes]:
    return [message.body for message in packed.messages]


# --- one thing at a time -----------------------------------------------------------------------


def test_a_full_message_is_sent_and_the_rest_follows() -> None:
    packed = _packed([Row(at) for at in range(7)], pack=3)
    assert [(message.events, message.at) for message in packed.messages] == [
        (3, 2),
        (3, 5),
        (1, 56),
    ]


def test_partition_keys_are_never_mixed() -> None:
    packed = _packed([Row(at, key=at % 2, body=b"%d" % at) for at in range(6)])
    assert [(message.partition_key, message.body) for message in packed.messages] == [
        ("0", b"[0,2,4]"),
        ("1", b"[1,3,5]"),
    ]


def test_a_message_is_not_kept_waiting_longer_than_the_linger() -> None:
    packed = _packed([Row(0, key=1), Row(1, key=2), Row(50, key=2)], linger=50)
    assert [(message.partition_key, message.events, message.at) for message in packed.messages] == [
        ("1", 1, 50),
        ("2", 2, 51),
    ]


def test_without_patience_every_event_goes_at_once() -> None:
    packed = _packed([Row(3), Row(3), Row(8)], linger=0)
    assert [(message.events, message.at) for message in packed.messages] == [(1, 3), (1, 3), (1, 8)]


def test_a_message_stays_below_the_byte_limit() -> None:
    rows = [Row(at, body=b'"' + b"x" * 98 + b'"') for at in range(10)]
    assert [len(body) for body in _bodies(_packed(rows, max_bytes=310))] == [304, 304, 304, 100]


def test_an_event_above_the_byte_limit_is_a_message_of_its_own() -> None:
    packed = _packed([Row(0), Row(1, body=b"x" * 40), Row(2)], max_bytes=30)
    assert _bodies(packed) == [b"{}", b"x" * 40, b"{}"]


def test_an_event_that_must_not_share_its_message_is_one_itself_and_goes_at_once() -> None:
    packed = _packed([Row(0), Row(1, body=b"oops", alone=True), Row(2)])
    assert [(message.body, message.at) for message in packed.messages] == [
        (b"oops", 1),
        (b"[{},{}]", 50),
    ]


def test_an_event_waits_for_the_next_block_to_fill_its_message() -> None:
    packed = _packed([Row(90, body=b"1")], [Row(101, body=b"2"), Row(150, body=b"3")])
    assert [[message.body for message in part] for part in packed.parts] == [[], [b"[1,2]"], [b"3"]]
    assert [message.at for message in packed.messages] == [140, 200]


def test_what_arrives_after_its_block_waits_for_the_block_of_its_time() -> None:
    packed = _packed([Row(250, body=b"late"), Row(10)], [], [Row(240, body=b"early")], linger=20)
    assert [[message.body for message in part] for part in packed.parts] == [
        [b"{}"],
        [],
        [b"[early,late]"],
        [],
    ]


def test_another_way_of_packing_holds_for_what_waits_and_time_does_not_go_back() -> None:
    packer = Packer(pack=50, linger=500, repeated_share=0)
    rows = [Row(at, body=b"%d" % at) for at in (10, 20, 30)]
    assert list(packer.take(_block(0, [*rows, Row(99, key=2, alone=True)]))) == [
        Message("2", b"{}", 1, 99)
    ]
    packer.change(pack=2, linger=60, repeated_share=0)
    assert list(packer.take(_block(1, []))) == [
        Message("1", b"[10,20]", 2, 99),
        Message("1", b"30", 1, 99),
    ]


def test_a_message_that_turns_out_full_is_not_sent_before_those_already_given_out() -> None:
    waits = Row(60, body=b"x" * 20)
    packed = _packed([waits, Row(95, key=2, alone=True)], [Row(101, body=b"y" * 20)], max_bytes=30)
    assert [message.at for message in packed.messages] == [95, 95, 151]


def test_whole_messages_are_sent_again_a_few_messages_later_as_often_as_asked_for() -> None:
    rows = [Row(at, key=at % 4, body=b"%d" % at) for at in range(90)]
    packed = _packed(rows, pack=3, linger=20, repeated_share=0.25)
    first_at: dict[bytes, int] = {}
    gaps = []
    for number, message in enumerate(packed.messages):
        if message.body in first_at:
            gaps.append(number - first_at[message.body])
        first_at.setdefault(message.body, number)
    assert packed.packer.repeated == len(gaps)
    repeated = sum(message.events for message in packed.messages) - 90
    assert abs(repeated - 0.25 * 90) <= 3
    assert min(gaps[:-2]) > 4
    assert max(gaps) < 10


def test_no_message_is_repeated_without_a_share() -> None:
    packed = _packed([Row(at, body=b"%d" % at) for at in range(90)], pack=1)
    assert packed.packer.repeated == 0
    assert len(set(_bodies(packed))) == packed.packer.messages == 90


# --- whatever comes ----------------------------------------------------------------------------


@st.composite
def _blocks(draw: st.DrawFn) -> list[list[Row]]:
    """Return blocks of events with texts that name them, whose arrival begins with the block."""
    number = 0
    blocks = []
    for at in range(draw(st.integers(1, 4))):
        rows = []
        for _ in range(draw(st.integers(0, 25))):
            number += 1
            reason = draw(st.sampled_from((0, 0, 0, 1, len(REASONS) - 2)))
            rows.append(
                Row(
                    arrival=at * LENGTH + draw(st.integers(0, 250)),
                    key=draw(st.integers(0, 2)),
                    body=json.dumps([number, "x" * draw(st.integers(0, 30))]).encode(),
                    alone=draw(st.booleans()) if reason else False,
                    reason=reason,
                    kind=draw(st.integers(1, len(KINDS))) if reason else 0,
                )
            )
        blocks.append(rows)
    return blocks


SETTINGS = st.fixed_dictionaries(
    {
        "pack": st.integers(1, 6),
        "linger": st.sampled_from((0, 1, 30, 100, 400)),
        "repeated_share": st.sampled_from((0.0, 0.1, 0.5)),
        "max_bytes": st.sampled_from((60, 120, MAX_BODY_BYTES)),
    }
)


def _numbers(message: Message) -> list[int]:
    """Return the numbers of a message's events."""
    body = json.loads(message.body)
    return [event[0] for event in body] if message.events > 1 else [body[0]]


def _rows(blocks: list[list[Row]]) -> dict[int, Row]:
    return {json.loads(row.body)[0]: row for rows in blocks for row in rows}


def _first_times(packed: Packed) -> Iterator[Message]:
    seen = set()
    for message in packed.messages:
        if message.body not in seen:
            yield message
        seen.add(message.body)


@given(_blocks(), SETTINGS)
def test_nothing_is_lost_and_nothing_is_doubled_but_repeated_messages(
    blocks: list[list[Row]], settings: dict[str, float]
) -> None:
    packed = _packed(*blocks, **settings)  # type: ignore[arg-type]
    rows = _rows(blocks)
    given_out = [number for message in _first_times(packed) for number in _numbers(message)]
    assert sorted(given_out) == sorted(rows)
    for message in packed.messages:
        parts = [rows[number].body for number in _numbers(message)]
        assert message.body == (b"[%s]" % b",".join(parts) if len(parts) > 1 else parts[0])
        assert message.events == len(parts)
    times = Counter(_bodies(packed))
    assert max(times.values(), default=1) <= 2
    assert sum(times.values()) - len(times) == packed.packer.repeated


@given(_blocks(), SETTINGS)
def test_events_of_a_key_stay_in_order_of_arrival_in_messages_of_their_own(
    blocks: list[list[Row]], settings: dict[str, float]
) -> None:
    packed = _packed(*blocks, **settings)  # type: ignore[arg-type]
    rows = _rows(blocks)
    by_key: dict[int, list[int]] = {}
    for message in _first_times(packed):
        for number in _numbers(message):
            assert str(rows[number].key) == message.partition_key
            if rows[number].alone:
                assert message.events == 1
            else:
                by_key.setdefault(rows[number].key, []).append(number)
    for numbers in by_key.values():
        # What arrives at the same time stays as it was generated.
        assert numbers == sorted(numbers, key=lambda number: (rows[number].arrival, number))


@given(_blocks(), SETTINGS)
def test_a_message_is_as_full_as_its_limits_and_its_patience_let_it(
    blocks: list[list[Row]], settings: dict[str, float]
) -> None:
    packed = _packed(*blocks, **settings)  # type: ignore[arg-type]
    rows = _rows(blocks)
    shared = [message for message in _first_times(packed) if not rows[_numbers(message)[0]].alone]
    for key in ("0", "1", "2"):
        messages = [message for message in shared if message.partition_key == key]
        for message, following in pairwise([*messages, None]):
            assert message is not None
            events = [rows[number] for number in _numbers(message)]
            assert message.events <= settings["pack"]
            assert message.events == 1 or len(message.body) <= settings["max_bytes"]
            patience = events[0].arrival + settings["linger"]
            assert all(row.arrival < patience for row in events[1:])
            if following is not None and message.events < settings["pack"]:
                after = rows[_numbers(following)[0]]
                size = sum(len(row.body) + 1 for row in [*events, after])
                assert after.arrival >= patience or size >= settings["max_bytes"]


@given(_blocks(), SETTINGS)
def test_messages_are_sent_in_order_of_time_and_none_waits_longer_than_the_linger(
    blocks: list[list[Row]], settings: dict[str, float]
) -> None:
    packed = _packed(*blocks, **settings)  # type: ignore[arg-type]
    rows = _rows(blocks)
    sent = [message.at for message in packed.messages]
    assert sent == sorted(sent)
    for number, part in enumerate(packed.parts[:-1]):
        assert all(message.at < (number + 1) * LENGTH for message in part)
    for message in _first_times(packed):
        arrivals = [rows[number].arrival for number in _numbers(message)]
        assert max(arrivals) <= message.at <= min(arrivals) + settings["linger"]


@given(_blocks(), SETTINGS)
def test_the_packer_counts_what_it_gives_out_repeated_messages_included(
    blocks: list[list[Row]], settings: dict[str, float]
) -> None:
    # Each block has names of its own, in another order.
    packer = Packer(**settings)  # type: ignore[arg-type]
    messages: list[Message] = []
    for number, events in enumerate(blocks):
        names = (*KINDS[number % 3 :], *KINDS[: number % 3])
        messages += packer.take(_block(number, events, names))
    messages += packer.close()
    kinds = {
        json.loads(row.body)[0]: KINDS[(row.kind - 1 + number) % 3]
        for number, events in enumerate(blocks)
        for row in events
        if row.reason
    }
    rows = _rows(blocks)
    refused = [number for message in messages for number in _numbers(message) if number in kinds]
    assert packer.messages == len(messages)
    assert packer.events == sum(message.events for message in messages)
    assert packer.rejected == Counter(REASONS[rows[number].reason] for number in refused)
    assert packer.violations == Counter(kinds[number] for number in refused)


@pytest.mark.parametrize("blocks", [[], [[]], [[], []]])
def test_of_nothing_comes_nothing(blocks: list[list[Row]]) -> None:
    assert _packed(*blocks, repeated_share=0.5).messages == []
