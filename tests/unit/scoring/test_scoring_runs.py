"""The runs that measure the rules: what they simulate, and how they wait for the pipeline."""

from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest
from unit.simulator.score.score_samples import kind_score, whole_score

from scoring.__main__ import main, without_goal
from scoring.runs import Wanted, WindowsStayOpen, close_all, configuration_of
from simulator.configuration.violation_settings import Violation, Violations
from simulator.errors import ExitCode
from simulator.score.detectors import KINDS


def test_the_profile_is_taken_with_its_own_subtlety() -> None:
    configuration = configuration_of(Wanted(1_234, 5))
    assert (configuration.volume.payments, configuration.seed) == (1_234, 5)
    assert configuration.violations.subtlety == 0


def test_a_subtlety_is_that_of_every_kind() -> None:
    violations = configuration_of(Wanted(1_000, 7, 0.75)).violations
    assert violations.subtlety == 0.75
    for kind in KINDS:
        found: Violation = getattr(violations, kind)
        assert found.subtlety == 0.75
        assert found.share == getattr(configuration_of(Wanted(1_000, 7)).violations, kind).share


def test_the_profile_injects_every_kind() -> None:
    violations: Violations = configuration_of(Wanted(200_000, 7)).violations
    assert [kind for kind in KINDS if getattr(violations, kind).share == 0] == []


def test_windows_are_closed_until_none_waits() -> None:
    waiting = iter((3, 1, 2, 0))
    closed: list[int] = []
    close_all(lambda: closed.append(1), lambda: next(waiting), pause=0)
    assert len(closed) == 3
    assert list(waiting) == []


def test_nothing_is_closed_where_nothing_waits() -> None:
    def never() -> None:
        raise AssertionError

    close_all(never, lambda: 0)


def test_windows_that_stay_open_are_told() -> None:
    waiting: Iterator[int] = repeat(4)
    with pytest.raises(WindowsStayOpen, match="4 windows stay open"):
        close_all(lambda: None, lambda: next(waiting), pause=0)


def test_kinds_without_a_goal_have_a_line_of_their_own() -> None:
    score = whole_score(
        kind_score("fan_in", (1, 4)), kind_score("cycle", (1, 3)), kind_score("layering", (0, 0))
    )
    assert without_goal(score) == "recall of kinds without a goal: cycle 0.33 (1/3)"
    assert without_goal(whole_score()) == "recall of kinds without a goal: none was injected"


def test_wrong_values_are_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--payments", "0", "--folder", str(tmp_path)]) == ExitCode.USAGE
    assert "volume.payments" in capsys.readouterr().out


def test_a_folder_that_cannot_be_made_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["--folder", str(tmp_path / "file" / "folder")]) == ExitCode.OUTPUT
    assert "name another by --folder" in " ".join(capsys.readouterr().out.split())
