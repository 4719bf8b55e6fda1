import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.errors import OutputFailed
from simulator.message import Message
from simulator.publishing.publish import publish
from simulator.publishing.stdout import StdoutPublisher

ROOT = Path(__file__).parents[4]
_RUN = """
import sys
from simulator.message import Message
from simulator.publishing.publish import publish
from simulator.publishing.stdout import StdoutPublisher
with StdoutPublisher() as publisher:
    sent = publish((Message("1", b'[{"n":%d},{}]' % n, 2) for n in range(COUNT)), publisher)
print(sent.events, file=sys.stderr)
"""


def shell(command: str, count: int, unbuffered: str = "") -> subprocess.CompletedProcess[str]:
    given = {"PYTHON": sys.executable, "RUN": _RUN.replace("COUNT", str(count))}
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=ROOT,
        env={**os.environ, **given, "PYTHONUNBUFFERED": unbuffered},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_events_stand_one_to_a_line(unbuffered: str) -> None:
    ended = shell('"$PYTHON" -c "$RUN"', 2, unbuffered)
    assert ended.stdout == '{"n":0}\n{}\n{"n":1}\n{}\n'
    assert (ended.returncode, ended.stderr) == (0, "4\n")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_enough_ends_the_run_quietly(unbuffered: str) -> None:
    ended = shell('"$PYTHON" -c "$RUN" | head -1', 1_000_000, unbuffered)
    assert ended.stdout == '{"n":0}\n'
    assert ended.returncode == 0
    assert 2 < int(ended.stderr) < 2_000_000


def test_a_reader_that_is_gone_before_the_end_is_noticed_at_the_last_flush() -> None:
    ended = shell('"$PYTHON" -c "$RUN" | true', 3)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr


def test_counters_count_lines() -> None:
    stream = io.BytesIO()
    with StdoutPublisher(stream) as publisher:
        sent = publish([Message("1", b"[{},{}]", 2)], publisher)
    assert sent == (1, 2, 6)
    assert list(publisher.unacknowledged()) == []


def test_a_full_disk_behind_the_standard_output_is_an_error() -> None:
    with (
        Path("/dev/full").open("wb", buffering=0) as full,
        pytest.raises(OutputFailed, match="cannot write to the standard output: No space left"),
    ):
        publish([Message("1", b"{}", 1)], StdoutPublisher(full))  # type: ignore[arg-type]
