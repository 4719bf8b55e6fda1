"""Tests that have to be alone are, and those that need not be are not held up."""

import fcntl
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from turns import turn

TESTS = Path(__file__).parents[1]
WAIT_SECONDS = 30
MODULE = """
import time
from pathlib import Path
import pytest

def work():
    with Path(__file__).with_name("spans").open("a") as spans:
        began = time.monotonic()
        time.sleep(0.05)
        spans.write(f"{began} {time.monotonic()}\\n")

@pytest.mark.parametrize("number", range(20))
def test_in_company(number):
    work()
"""
ALONE = """
@pytest.mark.alone
def test_alone():
    began = time.monotonic()
    time.sleep(0.3)
    Path(__file__).with_name("alone").write_text(f"{began} {time.monotonic()}")
"""


def somebody_waits(folder: Path) -> bool:
    """Tell whether somebody stands in the door."""
    with (folder / "door").open("w") as door:
        try:
            fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_turns_that_need_not_be_alone_are_taken_at_once(tmp_path: Path) -> None:
    with ExitStack() as turns:
        for _ in range(3):
            turns.enter_context(turn(tmp_path, alone=False))
        assert not somebody_waits(tmp_path)


def test_who_wants_to_be_alone_waits_for_others_and_is_not_overtaken(tmp_path: Path) -> None:
    order = []

    def take(name: str, *, alone: bool) -> None:
        with turn(tmp_path, alone=alone):
            order.append(f"{name} begins")
            time.sleep(0.1)
            order.append(f"{name} ends")

    with ThreadPoolExecutor(2) as pool:
        with turn(tmp_path, alone=False):
            first = pool.submit(take, "alone", alone=True)
            deadline = time.monotonic() + WAIT_SECONDS
            while not somebody_waits(tmp_path):
                assert time.monotonic() < deadline
                time.sleep(0.01)
            later = pool.submit(take, "later", alone=False)
            time.sleep(0.1)
            assert order == []
        first.result(WAIT_SECONDS)
        later.result(WAIT_SECONDS)
    assert order == ["alone begins", "alone ends", "later begins", "later ends"]


def test_a_marked_test_runs_alone_on_several_workers(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(MODULE + ALONE)
    (tmp_path / "test_two.py").write_text(MODULE)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = alone: no other beside it\n")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "-p", "turns"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    lines = (tmp_path / "spans").read_text().splitlines()
    spans = [tuple(map(float, line.split())) for line in lines]
    assert len(spans) == 40
    began, ended = map(float, (tmp_path / "alone").read_text().split())
    assert not [span for span in spans if span[0] < ended and began < span[1]]
