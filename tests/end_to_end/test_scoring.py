"""The rules are scored on the whole pipeline, by one command."""

import subprocess
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console

from scoring.__main__ import GOAL, sweep
from scoring.runs import Wanted
from simulator.errors import ExitCode
from simulator.ledger import Ledger
from simulator.score.detectors import KINDS_WITH_GOAL
from simulator.score.goals import shortfalls
from simulator.score.outcome import Score

ROOT = Path(__file__).parents[2]


def test_the_shipped_rules_are_scored_by_one_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "scoring", "--payments", "1000", "--seed", "3"),
            *("--no-sweep", "--folder", str(tmp_path)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert (tmp_path / "score.json").exists(), done.stdout + done.stderr
    score, ledger = Score.load(tmp_path / "score.json"), Ledger.load(tmp_path / "ledger.json")
    assert {each.kind for each in score.kinds if each.recall.whole} == {
        each.violation for each in ledger.injected
    }
    # All that there is was processed, and every window closed.
    assert not [note for note in score.notes if "stored" in note or "not closed" in note]
    missed = shortfalls(score, GOAL, KINDS_WITH_GOAL)
    assert done.returncode == (ExitCode.BELOW_GOAL if missed else ExitCode.OK), done.stdout
    assert "worst: recall" in done.stdout
    assert (tmp_path / "score.svg").read_text("utf-8").startswith("<?xml")


def test_recall_is_shown_over_subtlety(tmp_path: Path) -> None:
    console = Console(file=StringIO(), width=80)
    sweep(Wanted(500, 3), tmp_path, console, subtleties=(0.5,))
    assert isinstance(console.file, StringIO)
    assert "Recall by subtlety" in console.file.getvalue()
    assert Score.load(tmp_path / "subtlety-0.5.json").of_kind("fan_in") is not None
    assert (tmp_path / "subtlety.svg").exists()
