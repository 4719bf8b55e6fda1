"""Events on disk: order, recovery from torn writes, retention."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_azure.event_hubs.errors import LogDamaged
from local_azure.event_hubs.log.partition_log import (
    HOUR_MS,
    EncodeMessage,
    LogLimits,
    PartitionLog,
)
from local_azure.event_hubs.log.records import FILE_HEADER_SIZE, RECORD_HEADER_SIZE, LogEnd

START = 1_700_000_000_000
LIMITS = LogLimits(retention_ms=24 * HOUR_MS)
SMALL = LogLimits(retention_ms=24 * HOUR_MS, segment_bytes=200)


def constant(body: bytes) -> EncodeMessage:
    return lambda _sequence, _offset, _time: body


def put(log: PartitionLog, *bodies: bytes, at: int = START) -> int:
    return log.append([constant(body) for body in bodies], at)


def contents(log: PartitionLog, sequence: int = 0, max_bytes: int = 1 << 20) -> list[bytes]:
    found = []
    until = log.end.next_sequence
    while True:
        first, messages = log.read(sequence, until, 1000, max_bytes)
        if not messages:
            return found
        found += [bytes(message) for message in messages]
        sequence = first + len(messages)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[PartitionLog]:
    log = PartitionLog.open(tmp_path / "log", LIMITS)
    yield log
    log.close()


def reopened(log: PartitionLog, limits: LogLimits = LIMITS) -> PartitionLog:
    log.close()
    return PartitionLog.open(log._folder, limits)


def test_a_new_log_begins_at_zero(log: PartitionLog) -> None:
    assert log.end == LogEnd(next_offset=0, next_sequence=0, last_offset=-1, last_time=0)
    assert log.first_sequence == 0
    assert contents(log) == []


def test_an_event_is_told_its_place_before_it_is_written(log: PartitionLog) -> None:
    seen = []

    def encode(sequence: int, offset: int, enqueued_time: int) -> bytes:
        seen.append((sequence, offset, enqueued_time))
        return b"12345"

    size = RECORD_HEADER_SIZE + 5
    assert log.append([encode, encode], START) == 2
    log.append([encode], START + 1)

    assert seen == [(0, 0, START), (1, size, START), (2, 2 * size, START + 1)]
    assert log.end == LogEnd(3 * size, 3, 2 * size, START + 1)


def test_a_restart_changes_nothing(tmp_path: Path) -> None:
    log = PartitionLog.open(tmp_path, SMALL)
    bodies = [b"%d" % n * (n + 1) for n in range(60)]
    for number, body in enumerate(bodies):
        put(log, body, at=START + number)
    end = log.end
    assert len(list(tmp_path.glob("*.log"))) > 5

    log = reopened(log, SMALL)

    assert contents(log) == bodies
    assert log.end == end
    assert put(log, b"next", at=START + 99) == 61
    log.close()


def test_time_never_runs_backwards(log: PartitionLog) -> None:
    put(log, b"1", at=START)
    put(log, b"2", at=START - 5000)

    assert log.end.last_time == START


@pytest.mark.parametrize("cut", [1, RECORD_HEADER_SIZE - 1, RECORD_HEADER_SIZE, 40])
def test_a_torn_tail_is_cut_off_and_written_over(log: PartitionLog, cut: int) -> None:
    put(log, b"first", b"second")
    end = log.end
    put(log, b"x" * 40)
    (path,) = log._folder.glob("*.log")
    os.truncate(path, FILE_HEADER_SIZE + end.next_offset + cut)

    log = reopened(log)

    assert contents(log) == [b"first", b"second"]
    assert log.end == end
    assert path.stat().st_size == FILE_HEADER_SIZE + end.next_offset
    put(log, b"third")
    log = reopened(log)
    assert contents(log) == [b"first", b"second", b"third"]
    log.close()


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_whatever_a_kill_leaves_of_the_last_write_earlier_events_stay(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("log")
    log = PartitionLog.open(folder, LIMITS)
    put(log, b"kept", b"too")
    safe = FILE_HEADER_SIZE + log.end.next_offset
    put(log, *data.draw(st.lists(st.binary(max_size=50), min_size=1, max_size=3)))
    log.close()
    (path,) = folder.glob("*.log")
    raw = path.read_bytes()
    cut = data.draw(st.integers(safe, len(raw)))
    path.write_bytes(raw[:cut] + data.draw(st.binary(max_size=30)))

    log = PartitionLog.open(folder, LIMITS)

    assert contents(log)[:2] == [b"kept", b"too"]
    log.close()


def test_a_flipped_bit_in_an_older_file_is_reported_with_its_place(tmp_path: Path) -> None:
    log = PartitionLog.open(tmp_path, SMALL)
    for _ in range(4):
        put(log, b"x" * 150)
    log.close()
    oldest = min(tmp_path.glob("*.log"))
    raw = bytearray(oldest.read_bytes())
    raw[-1] ^= 1
    oldest.write_bytes(raw)

    with pytest.raises(LogDamaged, match="wrong checksum") as raised:
        PartitionLog.open(tmp_path, SMALL)

    assert raised.value.path == oldest
    assert raised.value.position >= FILE_HEADER_SIZE


@pytest.mark.parametrize("damage", [b"", b"short", b"NOTALOG!" + bytes(40), bytes(44)])
def test_a_file_without_a_sound_header_is_reported(log: PartitionLog, damage: bytes) -> None:
    (path,) = log._folder.glob("*.log")
    path.write_bytes(damage)

    with pytest.raises(LogDamaged, match="header"):
        PartitionLog.open(log._folder, LIMITS)


def test_a_missing_file_between_two_others_is_reported(tmp_path: Path) -> None:
    log = PartitionLog.open(tmp_path, SMALL)
    for _ in range(5):
        put(log, b"x" * 250)
    log.close()
    sorted(tmp_path.glob("*.log"))[2].unlink()

    with pytest.raises(LogDamaged, match="does not go on"):
        PartitionLog.open(tmp_path, SMALL)


def test_a_half_made_file_is_forgotten(log: PartitionLog) -> None:
    put(log, b"kept")
    draft = log._folder / "00000000000000000099.new"
    draft.write_bytes(b"half")

    log = reopened(log)

    assert contents(log) == [b"kept"]
    assert not draft.exists()
    log.close()


def test_a_full_disk_leaves_the_log_as_it_was(
    log: PartitionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(log, b"kept")
    end = log.end
    real = os.pwrite
    calls = []

    def half_then_full(descriptor: int, raw: bytes, position: int) -> int:
        calls.append(position)
        if len(calls) == 1:
            return real(descriptor, raw[: len(raw) // 2], position)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", half_then_full)
    with pytest.raises(OSError, match="No space"):
        put(log, b"lost" * 10)
    monkeypatch.undo()

    assert log.end == end
    put(log, b"next")
    log = reopened(log)
    assert contents(log) == [b"kept", b"next"]
    log.close()


def test_reading_is_bounded_by_events_by_bytes_and_by_the_acknowledged_end(
    log: PartitionLog,
) -> None:
    put(log, *[b"%02d" % n * 50 for n in range(10)])

    assert len(log.read(0, 10, 3, 1 << 20)[1]) == 3
    assert len(log.read(0, 4, 100, 1 << 20)[1]) == 4
    assert len(log.read(0, 10, 100, 1)[1]) == 1
    assert len(log.read(8, 10, 100, 1 << 20)[1]) == 2
    assert log.read(10, 10, 100, 1 << 20) == (10, [])
    assert contents(log, max_bytes=130) == [b"%02d" % n * 50 for n in range(10)]


@given(sizes=st.lists(st.integers(0, 60), min_size=1, max_size=40), probe=st.integers(0, 10**4))
@settings(max_examples=40, deadline=None)
def test_positions_are_found_across_files(
    sizes: list[int], probe: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = PartitionLog.open(tmp_path_factory.mktemp("log"), SMALL)
    places: list[tuple[int, int]] = []
    chooser = random.Random(len(sizes))
    now = START
    for size in sizes:
        now += chooser.randrange(3)
        put(log, b"x" * size, at=now)
        places.append((log.end.last_offset, now))

    expected = sum(offset < probe for offset, _ in places)
    assert log.first_sequence_from_offset(probe) == expected
    time = START + probe % 100
    assert log.first_sequence_from_time(time) == sum(t < time for _, t in places)
    log.close()


def test_files_whose_every_event_is_past_retention_go(tmp_path: Path) -> None:
    log = PartitionLog.open(tmp_path, SMALL)
    for hour in range(30):
        put(log, b"x" * 250, at=START + hour * HOUR_MS)

    dropped = log.drop_expired(START + 34 * HOUR_MS)

    assert dropped == 10
    assert log.first_sequence == 10
    assert len(contents(log)) == 20
    assert log.read(3, 30, 1, 1000)[0] == 10
    log = reopened(log, SMALL)
    assert log.first_sequence == 10
    log.close()


def test_numbering_goes_on_after_everything_has_expired(log: PartitionLog) -> None:
    put(log, b"1", b"2")
    end = log.end

    assert log.drop_expired(START + 25 * HOUR_MS) == 1
    log = reopened(log)

    assert (log.first_sequence, log.end) == (2, end)
    assert contents(log) == []
    assert put(log, b"3", at=START + 26 * HOUR_MS) == 3
    assert log.end.last_offset == end.next_offset
    assert log.drop_expired(START + 26 * HOUR_MS) == 0
    assert contents(log) == [b"3"]
    log.close()


def test_a_slow_hub_begins_a_new_file_by_time(log: PartitionLog) -> None:
    put(log, b"1", at=START)
    put(log, b"2", at=START + LIMITS.segment_ms - 1)
    assert len(list(log._folder.glob("*.log"))) == 1

    put(log, b"3", at=START + LIMITS.segment_ms)

    assert len(list(log._folder.glob("*.log"))) == 2
    assert contents(log) == [b"1", b"2", b"3"]
