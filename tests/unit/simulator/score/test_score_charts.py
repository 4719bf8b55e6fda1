"""Charts are the same for the same scores, and show every kind."""

import sys
from pathlib import Path

import pytest
from unit.simulator.score.score_samples import kind_score, whole_score

from simulator.errors import ExitCode, OutputFailed
from simulator.score.charts import chart, chart_over
from simulator.score.errors import ChartFailed

SCORE = whole_score(
    kind_score("fan_in", (9, 10), (3, 4)),
    kind_score("cycle", (0, 3), (0, 0)),
    kind_score("zero_amount", (0, 0), (0, 2), unit="event"),
)
SWEEP = [
    (subtlety, whole_score(kind_score("fan_in", (10 - at, 10)), kind_score("cycle", (at, 3))))
    for at, subtlety in enumerate((0.25, 0.5, 1.0))
]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("suffix", [".svg", ".png", ".SVG"])
def test_the_same_score_gives_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    for name in ("one", "two"):
        chart(SCORE, tmp_path / f"{name}{suffix}")
    assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_the_same_sweep_gives_the_same_bytes_in_any_order(tmp_path: Path, suffix: str) -> None:
    chart_over(SWEEP, tmp_path / f"one{suffix}")
    chart_over(SWEEP[::-1], tmp_path / f"two{suffix}")
    assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()


def test_another_score_gives_another_picture(tmp_path: Path) -> None:
    chart(SCORE, tmp_path / "one.svg")
    chart(whole_score(kind_score("fan_in", (8, 10), (3, 4))), tmp_path / "two.svg")
    assert (tmp_path / "one.svg").read_bytes() != (tmp_path / "two.svg").read_bytes()


def test_pictures_are_what_their_suffix_says(tmp_path: Path) -> None:
    chart(SCORE, tmp_path / "chart.svg")
    chart(SCORE, tmp_path / "chart.png")
    svg = (tmp_path / "chart.svg").read_text("utf-8")
    assert "<svg" in svg
    assert "dc:date" not in svg
    # Text is drawn as paths; matplotlib names each text in a comment.
    assert all(f"<!-- {kind} -->" in svg for kind in ("fan_in", "cycle", "zero_amount", "recall"))
    assert (tmp_path / "chart.png").read_bytes().startswith(PNG)


def test_lines_are_drawn_for_incidents(tmp_path: Path) -> None:
    chart_over(SWEEP, tmp_path / "sweep.svg", parameter="subtlety")
    svg = (tmp_path / "sweep.svg").read_text("utf-8")
    assert all(f"<!-- {word} -->" in svg for word in ("fan_in", "cycle", "subtlety"))


def test_nothing_at_all_can_be_drawn(tmp_path: Path) -> None:
    chart(whole_score(), tmp_path / "chart.svg")
    chart_over([(0.5, whole_score())], tmp_path / "sweep.svg")
    assert (tmp_path / "sweep.svg").exists()


def test_other_formats_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ChartFailed, match=r"written as \.svg or \.png, not as 'chart\.pdf'"
    ) as found:
        chart(SCORE, tmp_path / "chart.pdf")
    assert found.value.exit_code == ExitCode.OUTPUT


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputFailed, match="cannot write the chart"):
        chart(SCORE, tmp_path / "nowhere" / "chart.svg")


def test_without_matplotlib_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ChartFailed, match=r"pip install -r requirements-simulator\.txt"):
        chart(SCORE, tmp_path / "chart.svg")
