"""Turns on the machine, where pytest-xdist runs several tests at once.

A test marked ``alone`` waits for those that run, and no other starts until it has ended. Waiting
is no part of a test: its timeout begins with its turn.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_SH, LOCK_UN, flock
from pathlib import Path

import pytest
from xdist import is_xdist_worker


@contextmanager
def turn(folder: Path, *, alone: bool) -> Iterator[None]:
    """Wait for a turn, with others or alone; who waits to be alone is not overtaken.

    Args:
        folder: what all who take turns have in common.
        alone: whether nobody else may have a turn meanwhile.
    """
    kind = LOCK_EX if alone else LOCK_SH
    with _locked(folder / "door", LOCK_EX) as door, _locked(folder / "machine", kind):
        flock(door, LOCK_UN)
        yield


@contextmanager
def _locked(path: Path, kind: int) -> Iterator[int]:
    file = os.open(path, os.O_CREAT | os.O_RDWR)
    try:
        flock(file, kind)
        yield file
    finally:
        # Closing would not do: a process that was forked meanwhile holds the same lock.
        flock(file, LOCK_UN)
        os.close(file)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Run one test when it is its turn."""
    if not is_xdist_worker(item.session):
        return (yield)
    # pytest-xdist puts the temporary folders of its workers into one.
    folder = Path(item.config.getoption("basetemp")).parent
    with turn(folder, alone=item.get_closest_marker("alone") is not None):
        return (yield)
