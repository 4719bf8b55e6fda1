"""Scores are held against goals, and laid beside each other over a parameter."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from unit.simulator.score.score_samples import kind_score, whole_score

from simulator.errors import ExitCode, OutputFailed
from simulator.score.compare import falling
from simulator.score.errors import UnknownKind
from simulator.score.goals import Goal, shortfalls
from simulator.score.outcome import Score
from simulator.score.scoring import chosen

GOAL = Goal(recall=0.95, precision=0.90)


def printed(table: object) -> str:
    console = Console(file=StringIO(), width=80)
    console.print(table)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_what_is_good_enough_falls_short_of_nothing() -> None:
    score = whole_score(kind_score("fan_in", (95, 100), (90, 100)), kind_score("cycle", (0, 0)))
    assert shortfalls(score, GOAL) == []


def test_every_kind_that_misses_a_goal_is_told() -> None:
    score = whole_score(
        kind_score("fan_in", (94, 100), (89, 100)), kind_score("fan_out", (1, 4), (0, 0))
    )
    assert shortfalls(score, GOAL) == [
        "fan_in: recall 0.940 (94 of 100) is below 0.95",
        "fan_in: precision 0.890 (89 of 100) is below 0.9",
        "fan_out: recall 0.250 (1 of 4) is below 0.95",
    ]
    assert shortfalls(score, Goal(precision=0.9), ["fan_out"]) == []


def test_a_kind_that_was_asked_for_has_to_be_there() -> None:
    score = whole_score(kind_score("fan_in", (0, 0), (0, 3)))
    assert shortfalls(score, Goal(recall=0.5), ["fan_in", "fan_out"]) == [
        "fan_in: nothing was injected",
        "fan_out: nothing was injected",
    ]


def test_worst_are_the_least_of_what_can_be_rated() -> None:
    score = whole_score(
        kind_score("cycle", (1, 2), (0, 0)),
        kind_score("fan_in", (3, 4), (1, 3)),
        kind_score("fan_out", (0, 0), (1, 2)),
    )
    assert score.worst_recall is not None
    assert score.worst_precision is not None
    assert (score.worst_recall.kind, score.worst_precision.kind) == ("cycle", "fan_in")
    assert whole_score().worst_recall is None


def test_recall_over_subtlety_shows_incidents_and_what_changes() -> None:
    def at(found: int, large: int) -> Score:
        return whole_score(
            kind_score("fan_in", (found, 4)),
            kind_score("large_amount", (large, 4), unit="event"),
            kind_score("zero_amount", (4, 4), unit="event"),
            kind_score("cycle", (0, 0)),
        )

    table = printed(falling([(1.0, at(0, 3)), (0.25, at(4, 4)), (0.5, at(3, 4))]))
    lines = [line.split() for line in table.splitlines()]
    assert ["kind", "0.25", "0.5", "1"] in lines
    assert ["fan_in", "1.00", "0.75", "0.00"] in lines
    assert ["large_amount", "1.00", "1.00", "0.75"] in lines
    assert "zero_amount" not in table
    assert "cycle" not in table


def test_a_kind_that_one_run_lacks_has_a_gap() -> None:
    table = printed(falling([(0.0, whole_score(kind_score("fan_in"))), (1.0, whole_score())]))
    assert ["fan_in", "0.90"] in [line.split() for line in table.splitlines()]


def test_unknown_kinds_are_told_with_the_nearest() -> None:
    with pytest.raises(UnknownKind, match="'fan_im'; did you mean 'fan_in'") as caught:
        chosen(["fan_im"])
    assert caught.value.exit_code == ExitCode.USAGE
    with pytest.raises(UnknownKind, match="there are structuring, "):
        chosen(["zzzz"])
    assert [each.kind for each in chosen(["fan_out", "fan_in"])] == ["fan_in", "fan_out"]


def test_a_score_is_read_as_it_was_written(tmp_path: Path) -> None:
    score = whole_score(kind_score("fan_in"), notes=("a note",))
    score.save(tmp_path / "score.json")
    assert Score.load(tmp_path / "score.json") == score
    assert (tmp_path / "score.json").read_text("utf-8").startswith('{\n  "start": "2026-03-04T10')


def test_scores_that_cannot_be_written_or_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(OutputFailed, match="cannot write the score"):
        whole_score().save(tmp_path / "nowhere" / "score.json")
    with pytest.raises(OutputFailed, match="cannot read the score"):
        Score.load(tmp_path / "score.json")
    (tmp_path / "score.json").write_text("{}", "utf-8")
    with pytest.raises(OutputFailed, match="is no score"):
        Score.load(tmp_path / "score.json")
