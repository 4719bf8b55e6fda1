import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simulator.errors import OutputFailed
from simulator.message import Message
from simulator.publishing import parquet
from simulator.publishing.files import event_file, message_file, read_messages
from simulator.publishing.protocol import Publisher, Sent
from simulator.publishing.publish import publish

FORMS = ["out.jsonl", "out.jsonl.gz", "out.parquet"]
NOON = 1_772_366_400_123_456
MESSAGES = [
    Message("0", b'{"a":"\xc3\xb6"}', 1, NOON),
    Message("1", bytes(range(256)), 3, NOON + 1),
    Message("\u00f6", b"", 1),
]
FULL = Path("/dev/full")


@pytest.mark.parametrize("name", FORMS)
def test_messages_survive_every_form_byte_by_byte(tmp_path: Path, name: str) -> None:
    told: list[Sent] = []
    with message_file(tmp_path / name) as publisher:
        sent = publish(MESSAGES, publisher, told.append)
    assert list(read_messages(tmp_path / name)) == MESSAGES
    assert publisher.counters.events == 5
    assert list(publisher.unacknowledged()) == []
    assert [path.name for path in tmp_path.iterdir()] == [name]
    if name != "out.parquet":
        assert told[-1] == sent == Sent(3, 5, sent.bytes)


def test_lines_are_counted_in_bytes_as_written(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with message_file(path) as publisher:
        publish(MESSAGES, publisher)
    assert publisher.counters.bytes == path.stat().st_size
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert lines[0] == {"partition_key": "0", "events": 1, "at": NOON, "body": '{"a":"ö"}'}
    assert [set(line) for line in lines[1:]] == [
        {"partition_key", "events", "at", "body_base64"},
        {"partition_key", "events", "body"},
    ]


def test_events_alone_stand_one_to_a_line_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    bodies = [b'{"a":1}', b'[{"b": 1.0},{"c":\n2}]', b"[]", b'[{},"x"]', b"[{},", b"no\r\nJSON"]
    with event_file(path) as publisher:
        publish([Message("1", body, 1) for body in bodies], publisher)
    assert path.read_bytes().splitlines() == [
        *[b'{"a":1}', b'{"b": 1.0}', b'{"c": 2}', b"[]", b'[{},"x"]', b"[{},", b"no JSON"]
    ]
    assert publisher.counters.messages == 6


@pytest.mark.parametrize("made", [message_file, event_file])
def test_equal_messages_make_equal_compressed_files(
    tmp_path: Path, made: Callable[[Path], Publisher]
) -> None:
    first, second = tmp_path / "first.jsonl.gz", tmp_path / "second.jsonl.gz"
    with made(first) as publisher:
        publish(MESSAGES, publisher)
    with made(second) as publisher:
        for message in MESSAGES:
            publisher.send(message)
            publisher.flush()
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes()[4:8] == bytes(4)
    assert b"first" not in first.read_bytes()
    assert len(gzip.decompress(first.read_bytes()).splitlines()) == 3


def test_a_plain_file_can_be_read_while_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with message_file(path) as publisher:
        publisher.send(MESSAGES[0])
        publisher.flush()
        assert list(read_messages(path)) == MESSAGES[:1]


def test_parquet_has_typed_columns_and_bounded_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_MAX_ROWS", 4)
    monkeypatch.setattr(parquet, "_MAX_BYTES", 1_000)
    path = tmp_path / "out.parquet"
    bodies = [b"x"] * 6 + [b"x" * 600] * 4
    sent = [Message("1", body, 2, NOON) for body in bodies]
    with message_file(path) as publisher:
        publish(sent, publisher)
    with pq.ParquetFile(path) as file:
        groups = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
        schema = file.schema_arrow
    assert groups == [4, 4, 2]
    assert (publisher.counters.batches, publisher.counters.messages) == (3, 10)
    assert schema.names == ["partition_key", "at", "events", "body"]
    assert schema.types == [pa.string(), pa.timestamp("us", tz="UTC"), pa.int64(), pa.binary()]
    assert list(read_messages(path)) == sent


def test_parquet_replaces_its_target_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    path.write_bytes(b"older")

    def interrupted() -> Iterator[Message]:
        yield MESSAGES[0]
        assert path.read_bytes() == b"older"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), message_file(path) as publisher:
        publish(interrupted(), publisher)
    assert path.read_bytes() == b"older"
    assert [file.name for file in tmp_path.iterdir()] == ["out.parquet"]


@pytest.mark.parametrize("name", FORMS)
def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / "missing" / name
    with pytest.raises(OutputFailed, match=r"cannot write .*name another --file"):
        message_file(path).__enter__()
    with pytest.raises(OutputFailed, match=r"cannot read .*out\."):
        list(read_messages(path))


@pytest.mark.parametrize("name", FORMS)
def test_a_full_disk_is_told_when_the_file_is_closed(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.symlink_to(FULL)
    path.with_name(f"{name}.unfinished").symlink_to(FULL)
    with (
        pytest.raises(OutputFailed, match="No space left on device"),
        message_file(path) as publisher,
    ):
        publisher.send(MESSAGES[0])


def test_a_full_disk_is_told_while_writing(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.symlink_to(FULL)
    with pytest.raises(OutputFailed, match="No space left"), event_file(path) as publisher:
        publish([Message("1", b"x" * 100_000, 1)] * 3, publisher)


def test_a_full_disk_does_not_hide_what_went_wrong_before(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.symlink_to(FULL)

    def broken() -> Iterator[Message]:
        yield MESSAGES[0]
        raise LookupError

    with pytest.raises(LookupError), message_file(path) as publisher:
        publish(broken(), publisher)


def test_events_are_not_written_as_parquet(tmp_path: Path) -> None:
    with pytest.raises(OutputFailed, match=r"--events writes lines of JSON, not out\.parquet"):
        event_file(tmp_path / "out.parquet")


@pytest.mark.parametrize(
    "line", [b"{", b'{"partition_key":"1","events":1,"body_base64":"?"}', b'{"body":"x"}']
)
def test_a_line_that_is_no_message_is_named(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "out.jsonl"
    with message_file(path) as publisher:
        publish(MESSAGES[:1], publisher)
    path.write_bytes(path.read_bytes() + line)
    with pytest.raises(OutputFailed, match="line 2 is no message"):
        list(read_messages(path))


@pytest.mark.parametrize(
    "content", [b"plain text", gzip.compress(b"{}" * 50, mtime=0)[:-9]], ids=["no gzip", "cut off"]
)
def test_a_compressed_file_that_is_damaged_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "out.jsonl.gz"
    path.write_bytes(content)
    with pytest.raises(OutputFailed, match=r"cannot read .*out\.jsonl\.gz"):
        list(read_messages(path))


def test_a_parquet_file_of_something_else_is_named(tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    pq.write_table(pa.table({"body": [b"x"], "events": [1]}), path)
    with pytest.raises(OutputFailed, match="no column partition_key, at"):
        list(read_messages(path))
    path.write_bytes(b"no parquet at all")
    with pytest.raises(OutputFailed, match="cannot read"):
        list(read_messages(path))
