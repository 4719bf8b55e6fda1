"""A network that loses every packet and tells nobody: the server gives the batch's locks up."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_a_copy_whose_client_is_gone_without_a_word_ends_within_a_minute(*, full: bool) -> None:
    if not full:
        pytest.skip("waits for keepalives, half a minute: FAULTS=full")
    alone = ["unshare", "-n"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no network namespace of its own can be had here")
    run = subprocess.run(
        [*alone, sys.executable, "tests/silent_network.py"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert float(run.stdout) < 60
