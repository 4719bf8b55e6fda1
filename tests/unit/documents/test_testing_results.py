"""Results of test runs are counted by folder, skipped ones with their reasons."""

from pathlib import Path

from documents.testing_results import testing_results as results_page

JUNIT = """\
<testsuites><testsuite name="pytest" time="12.5" timestamp="2026-01-31T10:15:00.5+00:00">
<testcase classname="tests.unit.domain.test_money" name="a" time="0.5"/>
<testcase classname="tests.unit.rules.test_guard" name="b" time="0.7">
  <failure message="assert"/></testcase>
<testcase classname="tests.faults.test_disk" name="c" time="0">
  <skipped message="no disk | here"/></testcase>
<testcase classname="tests.faults.test_disk" name="d" time="3"><error message="x"/></testcase>
</testsuite></testsuites>
"""


def test_tests_are_counted_by_folder_and_together(tmp_path: Path) -> None:
    file = tmp_path / "tests.xml"
    file.write_text(JUNIT, "utf-8")
    page = results_page([file])
    assert "## `tox run -e tests`" in page
    assert "Begun 2026-01-31 10:15, wall time 12 s." in page
    assert "| `tests/unit` | 2 | 1 | 0 | 1 | 1 |" in page
    assert "| `tests/faults` | 2 | 0 | 1 | 1 | 3 |" in page
    assert "| `all` | 4 | 1 | 1 | 2 | 4 |" in page
    assert "Skipped: 1 because: no disk | here." in page


def test_runs_stand_in_the_order_of_their_names(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("tests.xml", "faults.xml")]
    for file in files:
        file.write_text(JUNIT, "utf-8")
    page = results_page(files)
    assert page.index("-e faults") < page.index("-e tests")
