import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.errors import ExitCode, OutputFailed
from simulator.message import Message
from simulator.publishing.errors import SpoolFailed
from simulator.publishing.files import message_file, read_messages
from simulator.publishing.lines import encode_message
from simulator.publishing.spool import Spool


def messages(count: int, first: int = 0) -> list[Message]:
    return [Message(str(n % 2), b"%d \xff" % n, 2, n) for n in range(first, first + count)]


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def spool(tmp_path: Path, told: list[str]) -> Spool:
    return Spool.of(tmp_path / "spool", "Bank.example", "payments", told.append)


def drained(spool: Spool, tmp_path: Path) -> list[Message]:
    target = tmp_path / "drained.jsonl"
    with message_file(target) as publisher:
        sent = spool.drain(publisher)
    found = list(read_messages(target))
    assert sent.messages == len(found)
    return found


def names(spool: Spool) -> list[str]:
    return sorted(path.name for path in spool.folder.iterdir())


def test_what_is_kept_comes_back_in_order_and_once(
    spool: Spool, tmp_path: Path, told: list[str]
) -> None:
    kept = [spool.keep(messages(3)), spool.keep(iter(messages(2, first=3)))]
    assert [(part.messages, part.events) for part in kept if part] == [(3, 6), (2, 4)]
    assert drained(spool, tmp_path) == messages(5)
    assert len(told) == 2
    assert names(spool) == []
    assert drained(spool, tmp_path) == []


def test_nothing_to_keep_makes_no_file(spool: Spool, tmp_path: Path) -> None:
    assert spool.keep([]) is None
    assert not spool.folder.exists()
    assert drained(spool, tmp_path) == []


def test_a_spool_file_is_a_compressed_file_of_messages(spool: Spool) -> None:
    kept = spool.keep(messages(3))
    assert kept is not None
    assert list(read_messages(kept.path)) == messages(3)


def test_every_destination_has_a_folder_of_its_own(tmp_path: Path) -> None:
    places = [("a.example", "payments"), ("b.example", "payments"), ("a.example", "../x")]
    folders = [Spool.of(tmp_path, host, hub).folder for host, hub in places]
    assert len(set(folders)) == 3
    assert all(folder.parent == tmp_path for folder in folders)
    assert Spool.of(tmp_path, "A.Example", "Payments").folder == folders[0]


def test_files_stay_in_order_beyond_single_digits_and_after_gaps(
    spool: Spool, tmp_path: Path
) -> None:
    for number in range(12):
        spool.keep(messages(1, first=number))
    for path in sorted(spool.folder.iterdir())[:10]:
        path.unlink()
    spool.keep(messages(1, first=12))
    assert drained(spool, tmp_path) == messages(3, first=10)


def test_what_is_no_spool_file_is_left_alone(spool: Spool, tmp_path: Path) -> None:
    spool.keep(messages(1))
    (spool.folder / "notes.txt").write_text("mine")
    assert drained(spool, tmp_path) == messages(1)
    assert names(spool) == ["notes.txt"]


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def torn(path: Path) -> None:
    text = b"\n".join(encode_message(message) for message in messages(40))
    path.write_bytes(gzip.compress(text[:-5]))


def garbled(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"no gzip")


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (truncated, "cannot be unpacked to its end"),
        (torn, "ends in the middle of line 40"),
        (garbled, "cannot be unpacked to its end: Not a gzipped file"),
    ],
)
def test_a_damaged_end_is_told_and_kept_and_all_before_it_is_sent(
    spool: Spool, tmp_path: Path, told: list[str], damage: object, complaint: str
) -> None:
    kept = spool.keep([Message("1", os.urandom(20), 1) for _ in range(5)] + messages(40))
    assert kept is not None
    assert callable(damage)
    damage(kept.path)
    found = drained(spool, tmp_path)
    assert len(found) >= 39
    assert any(complaint in text for text in told)
    assert names(spool) == [f"{kept.path.name}.damaged"]
    assert drained(spool, tmp_path) == []


def test_a_damaged_middle_stops_before_anything_new_is_sent(spool: Spool, tmp_path: Path) -> None:
    kept = spool.keep(messages(3))
    assert kept is not None
    lines = gzip.decompress(kept.path.read_bytes()).splitlines(keepends=True)
    kept.path.write_bytes(gzip.compress(lines[0] + b"{no JSON}\n" + lines[2]))
    with pytest.raises(OutputFailed, match=r"line 2 is no message.*move the file away"):
        drained(spool, tmp_path)
    assert names(spool) == [kept.path.name]


def test_a_file_that_cannot_be_read_is_named(spool: Spool, tmp_path: Path) -> None:
    spool.folder.mkdir(parents=True)
    (spool.folder / "00000001-00000000.jsonl.gz").mkdir()
    with pytest.raises(OutputFailed, match=r"cannot read what was spooled in .*00000001"):
        drained(spool, tmp_path)


_CRASH = """
import os, sys
from pathlib import Path
from simulator.message import Message
from simulator.publishing.spool import Spool

def messages():
    for number in range(3_000):
        yield Message("1", os.urandom(30), 1)
    print("writing", flush=True)
    sys.stdin.read()

Spool(Path(sys.argv[1])).keep(messages())
"""


@pytest.fixture
def writer(spool: Spool) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that is in the midst of writing to the spool."""
    process = subprocess.Popen(
        [sys.executable, "-c", _CRASH, str(spool.folder)],
        cwd=Path(__file__).parents[4],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"writing\n"
    with process:
        yield process
        process.kill()


def test_a_file_that_is_being_written_is_left_alone(
    writer: subprocess.Popen[bytes], spool: Spool, tmp_path: Path
) -> None:
    before = names(spool)
    assert before[0].endswith(".unfinished")
    assert drained(spool, tmp_path) == []
    assert names(spool) == before
    writer.communicate(b"")
    assert len(drained(spool, tmp_path)) == 3_000


def test_what_a_crash_left_unfinished_is_sent_as_far_as_it_goes(
    writer: subprocess.Popen[bytes], spool: Spool, tmp_path: Path, told: list[str]
) -> None:
    writer.kill()
    writer.wait()
    found = drained(spool, tmp_path)
    assert 1_000 < len(found) < 3_000
    assert all(len(message.body) == 30 for message in found)
    assert any("was not finished" in text for text in told)
    assert names(spool)[0].endswith(".jsonl.gz.damaged")


def test_a_crash_between_sending_and_deleting_repeats_and_never_loses(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.keep(messages(3))

    def crash(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", crash)
        with pytest.raises(SystemExit):
            drained(spool, tmp_path)
    assert drained(spool, tmp_path) == messages(3)


def test_a_spool_that_cannot_be_written_counts_all_that_is_in_danger(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    spool = Spool(tmp_path / "file" / "spool")
    with pytest.raises(SpoolFailed, match="14 events in 7 messages are in danger") as caught:
        spool.keep(messages(7))
    assert caught.value.exit_code == ExitCode.OUTPUT


def test_of_messages_still_to_come_only_those_that_were_made_are_in_danger(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    rest = iter(messages(7))
    with pytest.raises(SpoolFailed, match="2 events in 1 messages are in danger"):
        Spool(tmp_path / "file" / "spool").keep(rest)
    assert len(list(rest)) == 6
