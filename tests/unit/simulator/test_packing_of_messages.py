from datetime import UTC, datetime, timedelta

from simulator.arrivals import LINGER, Arrival
from simulator.packing import pack

START = datetime(2026, 3, 1, tzinfo=UTC)


def _arrival(
    seconds: float, key: str = "1", body: bytes = b"{}", *, alone: bool = False, times: int = 1
) -> Arrival:
    at = START + timedelta(seconds=seconds)
    return Arrival(at=at, partition_key=key, body=body, alone=alone, times=times)


def test_a_full_message_is_sent_and_the_rest_follows() -> None:
    sizes = [len(message.events) for message in pack([_arrival(n) for n in range(7)], 3)]
    assert sizes == [3, 3, 1]


def test_partition_keys_are_never_mixed() -> None:
    messages = list(pack([_arrival(n, key=str(n % 2)) for n in range(6)], 50))
    assert [message.partition_key for message in messages] == ["0", "1"]
    assert all(
        event.partition_key == message.partition_key
        for message in messages
        for event in message.events
    )


def test_a_message_is_not_kept_waiting_longer_than_the_linger() -> None:
    late = LINGER.total_seconds()
    arrivals = [_arrival(0, key="quiet"), _arrival(1, key="busy"), _arrival(late, key="busy")]
    assert [(m.partition_key, len(m.events)) for m in pack(arrivals, 50)] == [
        ("quiet", 1),
        ("busy", 2),
    ]


def test_a_message_stays_below_the_byte_limit() -> None:
    arrivals = [_arrival(n, body=b'"' + b"x" * 98 + b'"') for n in range(10)]
    messages = list(pack(arrivals, 50, max_bytes=310))
    assert [len(message.body) for message in messages] == [304, 304, 304, 100]


def test_copies_of_one_event_share_their_message() -> None:
    arrivals = [_arrival(0), _arrival(1), _arrival(2, body=b"1", times=2)]
    assert [message.body for message in pack(arrivals, 3)] == [b"[{},{}]", b"[1,1]"]


def test_an_unreadable_event_is_a_message_of_its_own() -> None:
    arrivals = [_arrival(0), _arrival(1, body=b"oops", alone=True), _arrival(2)]
    assert [message.body for message in pack(arrivals, 50)] == [b"oops", b"[{},{}]"]
