"""Benchmarks end with figures, ratios beside their goals, and a document made of both."""

from pathlib import Path

import pytest

from bench import __main__ as runner
from bench import document
from bench.__main__ import main as run_benchmarks
from bench.report import Ratio, Result, conclude, machine, read_results, spread

MET = Ratio("fast of slow", 0.8, 0.7, 0.9, goal=0.7)
MISSED = Ratio("time of | other", 1.3, 1.2, 1.4, goal=1.15, bound="at most", remark="it waits")


def result(*ratios: Ratio, **series: list[tuple[float, float]]) -> Result:
    return Result(
        benchmark="write_path",
        title="A title, with words",
        columns=("batch", "payments/s"),
        rows=[[1000, 2.5], ["small", None]],
        ratios=ratios,
        seconds=61.4,
        machine={"cores": "2"},
        series=series,
        remarks=("Read this.",),
    )


@pytest.mark.parametrize(
    ("ratio", "met"),
    [
        (Ratio("a", 0.7, 0.7, 0.7, goal=0.7), True),
        (Ratio("a", 0.69, 0.6, 0.8, goal=0.7), False),
        (Ratio("a", 1.15, 1.1, 1.2, goal=1.15, bound="at most"), True),
        (MISSED, False),
        (Ratio("a", 9.0, 9.0, 9.0), True),
    ],
)
def test_a_goal_is_met_on_its_side(ratio: Ratio, met: object) -> None:
    assert ratio.met is met


def test_the_spread_is_median_lowest_and_highest() -> None:
    assert spread([3.0, 1.0, 2.0]) == (2.0, 1.0, 3.0)


@pytest.mark.parametrize(("ratios", "code"), [([MET], 0), ([MET, MISSED], 1), ([], 0)])
def test_a_missed_goal_is_the_exit_code_and_figures_are_written_all_the_same(
    ratios: list[Ratio], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    assert conclude([result(*ratios)], file) == code
    (written,) = read_results(file)
    assert written.ratios == ratios
    assert written.rows == [[1000, 2.5], ["small", None]]
    printed = capsys.readouterr().out
    assert "A title, with words" in printed
    assert "1,000" in printed
    assert "Read this." in printed


def test_the_machine_names_what_figures_depend_on() -> None:
    assert set(machine("18.4")) == {"cores", "Python", "PostgreSQL"}


def test_the_document_shows_tables_and_every_ratio_beside_its_goal() -> None:
    text = document.markdown([result(MET, MISSED)])
    assert "| batch | payments/s |" in text
    assert "| 1,000 | 2.50 |" in text
    assert "| small |  |" in text
    assert "cores 2; the whole benchmark ran 61 s." in text
    assert "| write_path: fast of slow | 0.80 | 0.70 to 0.90 | at least 0.7 | yes |" in text
    assert (
        "| write_path: time of / other<br>it waits | 1.30 | 1.20 to 1.40 | at most 1.15 | **no** |"
        in text
    )


def test_only_what_stands_between_the_markers_is_rewritten() -> None:
    before = f"head\n{document.BEGIN}\nold\n{document.END}\ntail\n"
    after = document.between_markers(before, "new\n")
    assert after == f"head\n{document.BEGIN}\n\nnew\n\n{document.END}\ntail\n"
    with pytest.raises(ValueError, match="lacks"):
        document.between_markers("head", "new")


def test_figures_of_a_folder_become_the_document_and_its_plots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "performance.md"
    target.write_text(f"{document.BEGIN}{document.END}", "utf-8")
    monkeypatch.setattr(document, "DOCUMENT", target)
    monkeypatch.setattr(document, "PLOTS", tmp_path / "performance")
    conclude([result(MET, writers=[(1, 10.0), (2, 20.0)])], tmp_path / "write_path.json")
    assert document.main(["--json", str(tmp_path)]) == 0
    plot = tmp_path / "performance" / "write_path-a-title-with-words.svg"
    assert plot.read_text("utf-8").startswith("<?xml")
    assert "(performance/write_path-a-title-with-words.svg)" in target.read_text("utf-8")


def test_a_folder_without_figures_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert document.main(["--json", str(tmp_path)]) == 1
    assert "python -m bench" in capsys.readouterr().err


def test_benchmarks_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_benchmarks(["--list"]) == 0
    assert "write_path" in capsys.readouterr().out.split()


def test_one_benchmark_runs_in_a_process_of_its_own_and_is_summed_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "BENCHMARKS", {"absent": (), "rules": ("--rounds", "1")})
    assert run_benchmarks(["--only", "rules", "--json", str(tmp_path)]) == 0
    assert read_results(tmp_path / "rules.json")[0].benchmark == "rules"
    assert "every goal met" in capfd.readouterr().out


def test_a_benchmark_that_fails_holds_up_no_other_and_is_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "BENCHMARKS", {"absent": (), "rules": ("--rounds", "1")})
    assert run_benchmarks(["--json", str(tmp_path)]) == runner.EXIT_FAILED
    printed = capfd.readouterr().out
    assert "FAILED" in printed
    assert "every goal met" in printed
    assert not (tmp_path / "absent.json").exists()


def test_figures_of_an_earlier_run_do_not_stand_in_for_a_benchmark_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "BENCHMARKS", {"absent": ()})
    conclude([result(MET)], tmp_path / "absent.json")
    assert run_benchmarks(["--json", str(tmp_path)]) == runner.EXIT_FAILED


def test_a_missed_goal_of_any_benchmark_is_the_exit_code_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(name: str, json_file: Path) -> int:
        return conclude([result(MISSED if name == "second" else MET)], json_file)

    monkeypatch.setattr(runner, "BENCHMARKS", {"first": (), "second": (), "third": ()})
    monkeypatch.setattr(runner, "_run", run)
    assert run_benchmarks(["--json", str(tmp_path)]) == 1
    assert "a goal was missed" in capsys.readouterr().out
