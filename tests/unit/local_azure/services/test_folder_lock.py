import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local_azure.services.errors import FolderInUse
from local_azure.services.folder_lock import FolderLock

HOLDS_AND_WAITS = """
import sys
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
