import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastavro
import pytest
from foreign_files import CARD_NUMBER, FIELDS, mapping, replayed
from payment_messages import payment_event

from simulator.errors import MissingLibrary
from simulator.generation.partition_keys import partition_key
from simulator.message import Message
from simulator.replay.describing.describing import describe
from simulator.replay.errors import UnreadableData
from simulator.replay.mapping import ReplayMapping
from simulator.replay.mapping_reading import parse_mapping
from simulator.replay.replaying import Replay, ReplayOptions, ShiftTo

PROPERTIES = {"type": "map", "values": ["long", "double", "string", "bytes"]}
SCHEMA = {
    "type": "record",
    "name": "EventData",
    "namespace": "Microsoft.ServiceBus.Messaging",
    "fields": [
        {"name": "SequenceNumber", "type": "long"},
        {"name": "Offset", "type": "string"},
        {"name": "EnqueuedTimeUtc", "type": "string"},
        {"name": "SystemProperties", "type": PROPERTIES},
        {"name": "Properties", "type": PROPERTIES},
        {"name": "Body", "type": ["null", "bytes"]},
    ],
}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = "2026-01-31T11:59:58Z"
BODIES = (
    b'{"transaction_id": "a",  "event_time":"2026-01-31T11:59:58Z", "customer": {"id":"cus-1"}}',
    b' [ {"transaction_id": "b", "event_time":"2026-01-31T11:59:59.5Z"} ,\n{"bad": 1} ] ',
    b"no JSON \xff",
    b"",
)


def capture(
    folder: Path,
    bodies: tuple[bytes | None, ...] = BODIES,
    enqueued: str = "1/31/2026 12:00:00 PM",
    key: Any = None,
    codec: str = "null",
) -> Path:
    """Write a file as Event Hubs Capture does, a record for each body."""
    records = [
        {
            "SequenceNumber": number,
            "Offset": str(number),
            "EnqueuedTimeUtc": enqueued,
            "SystemProperties": {} if key is None else {"x-opt-partition-key": key},
            "Properties": {},
            "Body": body,
        }
        for number, body in enumerate(bodies)
    ]
    path = folder / "capture.avro"
    with path.open("wb") as file:
        fastavro.writer(file, SCHEMA, records, codec=codec)
    return path


def sent(path: Path, mapped: ReplayMapping | None = None, **options: Any) -> list[Message]:
    replay = Replay([path], mapped or ReplayMapping(), ReplayOptions(**options))
    return list(replay.messages())


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_bodies_stay_byte_for_byte(tmp_path: Path, codec: str) -> None:
    messages = sent(capture(tmp_path, codec=codec))
    assert tuple(message.body for message in messages) == BODIES
    assert [message.events for message in messages] == [1, 2, 1, 1]


def test_messages_keep_the_key_they_were_sent_with(tmp_path: Path) -> None:
    assert {message.partition_key for message in sent(capture(tmp_path, key="63"))} == {"63"}
    assert {message.partition_key for message in sent(capture(tmp_path, key=b"7"))} == {"7"}


def test_without_a_key_the_first_event_decides(tmp_path: Path) -> None:
    messages = sent(capture(tmp_path))
    assert [message.partition_key for message in messages[:2]] == [
        partition_key("cus-1"),
        partition_key("b"),
    ]


@pytest.mark.parametrize(
    "enqueued", ["1/31/2026 12:00:00 PM", "2026-01-31T12:00:00.0000000Z", "2026-01-31T12:00:00"]
)
def test_messages_are_paced_by_when_they_were_enqueued(tmp_path: Path, enqueued: str) -> None:
    messages = sent(capture(tmp_path, enqueued=enqueued))
    moment = datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp()
    assert {message.at for message in messages} == {moment * 1e6}


def test_messages_without_readable_time_are_sent_at_once(tmp_path: Path) -> None:
    assert {message.at for message in sent(capture(tmp_path, enqueued="noon"))} == {0}


def test_moving_changes_times_and_nothing_else(tmp_path: Path) -> None:
    messages = sent(capture(tmp_path), shift_to=ShiftTo(NOON))
    assert [message.body for message in messages] == [
        (
            b'{"transaction_id":"a","event_time":"2026-03-01T11:59:58.500000Z",'
            b'"customer":{"id":"cus-1"}}'
        ),
        b'[{"transaction_id":"b","event_time":"2026-03-01T12:00:00Z"},{"bad": 1}]',
        b"no JSON \xff",
        b"",
    ]
    assert messages[0].at == NOON.timestamp() * 1e6 + 500_000


def test_captured_events_can_be_mapped_like_rows(tmp_path: Path) -> None:
    rows = [{"id": "a", "time": AT, "amount": 1}, {"id": "b", "time": AT, "amount": 2}]
    path = capture(tmp_path, (json.dumps(rows).encode(), json.dumps(rows[0]).encode(), b"bad"))
    events, replay = replayed(path, mapping())
    assert [event["transaction_id"] for event in events] == ["a", "b", "a"]
    assert replay.summary.bad == {"unreadable": 1}
    assert replay.bytes_read == path.stat().st_size


def test_limit_parts_no_captured_message(tmp_path: Path) -> None:
    assert [message.events for message in sent(capture(tmp_path), limit=2)] == [1, 2]


@pytest.mark.parametrize("fields", [None, FIELDS])
def test_record_without_body_is_a_bad_row(tmp_path: Path, fields: Any) -> None:
    path = capture(tmp_path, (None,))
    mapped = ReplayMapping() if fields is None else mapping()
    events, replay = replayed(path, mapped, shift_to=ShiftTo(NOON))
    assert (events, replay.summary.bad) == ([], {"unreadable": 1})


def test_card_numbers_are_masked_if_the_mapping_says_so(tmp_path: Path) -> None:
    body = json.dumps([{"transaction_id": "t", "note": CARD_NUMBER}]).encode()
    as_id = json.dumps({"transaction_id": CARD_NUMBER}).encode()
    path = capture(tmp_path, (body, as_id))
    assert [message.body for message in sent(path)] == [body, as_id]
    replay = Replay([path], parse_mapping("card_numbers: mask"))
    (message,) = replay.messages()
    assert json.loads(message.body)[0]["note"] == "411111******1111"
    assert replay.summary.bad == {"card_number_as_identifier": 1}


def test_message_enqueued_beyond_all_calendars_is_a_bad_row(tmp_path: Path) -> None:
    path = capture(tmp_path, BODIES[:1], enqueued="0001-01-01T00:00:00Z")
    early = ShiftTo(datetime(2000, 1, 1, tzinfo=UTC))
    replay = Replay([path], ReplayMapping(), ReplayOptions(shift_to=early))
    assert list(replay.messages()) == []
    assert replay.summary.bad == {"invalid_event_time": 1}


@pytest.mark.parametrize(("kind", "at"), [("long", 0), ("timestamp", NOON.timestamp() * 1e6)])
def test_time_of_another_type_is_taken_if_it_is_one(tmp_path: Path, kind: str, at: float) -> None:
    timestamp = {"type": "long", "logicalType": "timestamp-micros"}
    fields = [
        {"name": "EnqueuedTimeUtc", "type": "long" if kind == "long" else timestamp},
        {"name": "Body", "type": "bytes"},
    ]
    path = tmp_path / "capture.avro"
    record = {"EnqueuedTimeUtc": 7 if kind == "long" else NOON, "Body": b"{}"}
    with path.open("wb") as file:
        fastavro.writer(file, {"type": "record", "name": "r", "fields": fields}, [record])
    assert [message.at for message in sent(path)] == [at]


@pytest.mark.parametrize("fields", [None, FIELDS])
def test_progress_is_known_while_reading(tmp_path: Path, fields: Any) -> None:
    row = {"id": "a", "time": AT, "amount": 1, "note": "x" * 2000}
    path = capture(tmp_path, (json.dumps(row).encode(),) * 2000)
    mapped = ReplayMapping() if fields is None else mapping()
    replay = Replay([path], mapped, ReplayOptions(pack=1))
    seen = [replay.bytes_read for _ in replay.messages()]
    assert 0 < seen[0] < seen[1000] < replay.total_bytes
    assert replay.bytes_read == replay.total_bytes


@pytest.mark.parametrize("kept", [3, 200, -20])
def test_damaged_capture_stops_with_its_name(tmp_path: Path, kept: int) -> None:
    path = capture(tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UnreadableData, match=r"capture\.avro"):
        sent(path, parse_mapping("format: {type: capture}"))


def test_avro_of_another_kind_has_no_messages(tmp_path: Path) -> None:
    path = tmp_path / "other.avro"
    file = io.BytesIO()
    fastavro.writer(file, {"type": "string"}, ["x"])
    path.write_bytes(file.getvalue())
    _, replay = replayed(path, ReplayMapping())
    assert replay.summary.bad == {"unreadable": 1}


def test_capture_of_payment_events_is_recognised(tmp_path: Path) -> None:
    path = capture(tmp_path, (json.dumps([payment_event(), payment_event("b")]).encode(),))
    text = describe(path)
    assert parse_mapping(text) == parse_mapping("format: {type: capture}")
    assert "as they are" in text


@pytest.mark.parametrize(("library", "kind"), [("fastavro", "capture"), ("pyarrow", "parquet")])
def test_missing_library_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, kind: str
) -> None:
    path = capture(tmp_path)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingLibrary, match=r"pip install -r requirements-simulator\.txt"):
        replayed(path, mapping(format={"type": kind}))
