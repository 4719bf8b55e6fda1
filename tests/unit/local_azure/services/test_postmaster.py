import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local_azure.services import postmaster
from local_azure.services.postmaster import read_postmaster, stop_orphan

IGNORES = (
    "import signal, sys, time\n"
    "for number in sys.argv[2:]: signal.signal(int(number), signal.SIG_IGN)\n"
    "print('ready', flush=True)\n"
    "time.sleep(600)\n"
)


@contextmanager
def process_on(data: Path, *ignored: signal.Signals) -> Iterator[subprocess.Popen[bytes]]:
    """A stand-in for a server: a process that has the folder in its command line."""
    numbers = [str(number.value) for number in ignored]
    with subprocess.Popen(
        [sys.executable, "-c", IGNORES, str(data), *numbers],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield process
        finally:
            process.kill()


def write(data: Path, pid: int, status: str = "ready   ") -> None:
    lines = [str(pid), str(data), "1700000000", "5432", "", "127.0.0.1", " 1 2", status]
    (data / "postmaster.pid").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("content", "pid", "ready"),
    [
        ("12\n/data\n1\n5432\n/s\nlocalhost\n 1 2\nready   \n", 12, True),
        ("12\n/data\n1\n5432\n/s\nlocalhost\n 1 2\nstarting\n", 12, False),
        ("12\n/data\n1\n5432\n", 12, False),
    ],
)
def test_the_file_says_which_process_serves_and_whether_it_is_ready(
    tmp_path: Path, content: str, pid: int, *, ready: bool
) -> None:
    (tmp_path / "postmaster.pid").write_text(content)
    found = read_postmaster(tmp_path)
    assert found is not None
    assert (found.pid, found.ready) == (pid, ready)


def test_no_file_or_one_only_just_begun_says_nothing(tmp_path: Path) -> None:
    assert read_postmaster(tmp_path) is None
    (tmp_path / "postmaster.pid").touch()
    assert read_postmaster(tmp_path) is None
    assert stop_orphan(tmp_path, 1) is None


@pytest.mark.parametrize("ignored", [(), (signal.SIGINT,)], ids=["fast", "immediate"])
def test_a_server_left_behind_is_stopped(
    tmp_path: Path, ignored: tuple[signal.Signals, ...]
) -> None:
    with process_on(tmp_path, *ignored) as server:
        write(tmp_path, server.pid)
        assert stop_orphan(tmp_path, 0.2) is None
        assert server.wait(10) == (-signal.SIGQUIT if ignored else -signal.SIGINT)


def test_a_server_that_does_not_stop_is_named(tmp_path: Path) -> None:
    with process_on(tmp_path, signal.SIGINT, signal.SIGQUIT) as server:
        write(tmp_path, server.pid)
        assert stop_orphan(tmp_path, 0.1) == server.pid


def test_a_stranger_is_left_alone_and_its_file_removed(tmp_path: Path) -> None:
    with process_on(tmp_path / "elsewhere") as stranger:
        write(tmp_path, stranger.pid)
        assert stop_orphan(tmp_path, 0.1) is None
        assert stranger.poll() is None
    assert not (tmp_path / "postmaster.pid").exists()


def test_the_file_of_a_dead_server_is_left_for_the_next_one_to_judge(tmp_path: Path) -> None:
    with process_on(tmp_path) as server:
        write(tmp_path, server.pid)
    assert stop_orphan(tmp_path, 0.1) is None
    assert (tmp_path / "postmaster.pid").exists()


def test_systems_without_proc_are_asked_by_ps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postmaster.sys, "platform", "darwin")
    with process_on(tmp_path) as server:
        write(tmp_path, server.pid)
        assert stop_orphan(tmp_path, 1) is None
        assert server.wait(10) == -signal.SIGINT
