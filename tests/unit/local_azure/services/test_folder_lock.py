import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local_azure.services.errors import FolderInUse
from local_azure.services.folder_lock import LOCK_FILE, FolderLock

HOLDS_AND_WAITS = """
import sys
import time
from pathlib import Path
from local_azure.services.folder_lock import FolderLock
lock = FolderLock("Thing", Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_folder_has_one_owner_who_is_named_to_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "for it"
    second = FolderLock("Thing", folder)
    with FolderLock("Thing", folder) as first:
        with pytest.raises(FolderInUse, match=f"in use by process {os.getpid()}") as caught:
            second.acquire()
        assert caught.value.folder == folder
        assert first.held
        assert not second.held
    with second:
        assert second.held
    second.release()


def test_a_killed_owner_leaves_no_lock(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", HOLDS_AND_WAITS, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"held\n"
        with pytest.raises(FolderInUse, match=f"in use by process {owner.pid}"):
            FolderLock("Thing", tmp_path).acquire()
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        with FolderLock("Thing", tmp_path) as lock:
            assert lock.held


def test_what_a_dead_owner_left_is_awaited(tmp_path: Path) -> None:
    """A child that shares the lock of a dead owner stands for a guard that still stops things."""
    code = HOLDS_AND_WAITS.replace(
        "sys.stdin.read()",
        "import os, subprocess; child = subprocess.Popen(['sleep', '0.5'], "
        "stdout=subprocess.DEVNULL, pass_fds=[lock.fileno()]); os._exit(0)",
    )
    owner = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, check=True
    )
    assert owner.stdout.startswith(b"held\n")
    before = time.monotonic()
    with FolderLock("Thing", tmp_path) as lock:
        assert lock.held
        assert 0.2 < time.monotonic() - before < 10
    assert lock.fileno() is None


def test_an_owner_that_has_not_said_its_name_yet_is_respected(tmp_path: Path) -> None:
    with FolderLock("Thing", tmp_path):
        (tmp_path / LOCK_FILE).write_text("")
        with pytest.raises(FolderInUse, match="in use by another process"):
            FolderLock("Thing", tmp_path).acquire()


def test_the_owner_can_be_asked_for_without_taking_the_lock(tmp_path: Path) -> None:
    asking = FolderLock("Thing", tmp_path)
    assert asking.holder() is None
    with FolderLock("Thing", tmp_path):
        assert asking.holder() == f"process {os.getpid()}"
    assert asking.holder() is None
