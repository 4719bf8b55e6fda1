"""The README's first command."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_demo_ends_by_itself_and_says_that_every_sum_is_right() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "demo", "--payments", "1500", "--seed", "3"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every sum in the database equals the simulator's ledger" in done.stdout
    assert re.search(r"the dashboard was at http://localhost:\d+/api/dashboard;", done.stdout)
    for title in ("Five-minute windows", "Amounts by currency", "Rejected events by reason"):
        assert title in done.stdout
