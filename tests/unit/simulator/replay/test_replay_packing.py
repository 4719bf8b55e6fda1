import json
from datetime import timedelta

import pytest

from simulator.generation.partition_keys import partition_key
from simulator.message import Message
from simulator.replay.packing import Packer
from simulator.replay.times import EPOCH
from simulator.replay.translation import ReadyEvent


def packed(events: list[tuple[str, int | None]], packer: Packer) -> list[Message]:
    """Return the messages of events of a key and a time in seconds, numbered in order."""
    messages: list[Message] = []
    for number, (key, seconds) in enumerate(events):
        moment = None if seconds is None else EPOCH + timedelta(seconds=seconds)
        messages += packer.add(ReadyEvent(key, b"%d" % number, moment))
    return messages + list(packer.close())


def contents(messages: list[Message]) -> list[tuple[str, object, float]]:
    return [(key, json.loads(body), at / 1e6) for key, body, _, at in messages]


def test_events_of_one_key_share_messages_in_their_order() -> None:
    events = [("a", 1), ("b", 2), ("a", 3), ("a", 4), ("b", 5)]
    assert contents(packed(events, Packer(2, None))) == [
        ("a", [0, 2], 3),
        ("b", [1, 4], 5),
        ("a", 3, 5),
    ]


def test_messages_count_their_events() -> None:
    messages = packed([("a", 1)] * 5, Packer(3, None))
    assert [message.events for message in messages] == [3, 2]


def test_event_waits_no_longer_than_its_linger() -> None:
    events = [("a", 0), ("b", 4), ("b", 11), ("c", 30)]
    assert contents(packed(events, Packer(10, timedelta(seconds=10)))) == [
        ("a", 0, 10),
        ("b", [1, 2], 14),
        ("c", 3, 30),
    ]


def test_pacing_never_goes_back_in_a_file_without_order() -> None:
    events = [("a", 100), ("b", 50), ("c", 120), ("d", None), ("e", 20)]
    messages = packed(events, Packer(1, None))
    assert [message.at / 1e6 for message in messages] == [100, 100, 120, 120, 120]


def test_events_before_1970_are_paced_too() -> None:
    assert contents(packed([("a", -20), ("b", -10)], Packer(1, None))) == [
        ("a", 0, -20),
        ("b", 1, -10),
    ]


@pytest.mark.parametrize("spare", [0, -1])
def test_body_is_never_larger_than_allowed(spare: int) -> None:
    # Two bodies of a byte, their comma and the brackets.
    messages = packed([("a", 1), ("a", 1)], Packer(10, None, max_bytes=6 + spare))
    assert len(messages) == (1 if spare == 0 else 2)


def test_key_is_that_of_the_simulation() -> None:
    assert partition_key("cus-1") == "58"
