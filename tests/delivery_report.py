"""What the checks of the delivery count, and the table that a run closes with.

A test says how much it has checked, by the fixture ``counted``. A check that a run leaves out is
named in the table, too.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from rich.console import Console
from rich.table import Table

CHECKS: Final = (
    "resources of Terraform",
    "arguments of Terraform",
    "app settings matched",
    "workflows",
    "deploy commands in workflows",
    "revisions linted",
    "downgrades on data",
    "rehearsals",
    "doc commands",
)
# Under it a count is kept in its test's report, which reaches the process that prints the table.
_COUNT: Final = "delivery count"

type Counted = Callable[[str, int], None]


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Counted:
    """Give a function that adds to one of ``CHECKS``; it counts if the test passes."""

    def add(check: str, number: int) -> None:
        assert check in CHECKS
        record_property(_COUNT, (check, number))

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how much was checked, if anything was."""
    passed, failed = Counter[str](), Counter[str]()
    for report in _reports(terminalreporter):
        for name, value in report.user_properties:
            if name == _COUNT:
                check, number = value
                (passed if report.passed else failed)[check] += number
    if not passed and not failed:
        return
    table = Table(title="Delivery")
    for heading in ("check", "passed", "failed"):
        table.add_column(heading, justify="left" if heading == "check" else "right")
    for check in CHECKS:
        ran = check in passed or check in failed
        shown = (f"{passed[check]:,}", f"{failed[check]:,}") if ran else ("not run", "")
        table.add_row(check, *shown)
    console = Console(width=80, no_color=True)
    with console.capture() as captured:
        console.print(table)
    terminalreporter.write_line(captured.get())


def _reports(terminalreporter: pytest.TerminalReporter) -> Iterator[pytest.TestReport]:
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and report.when == "call":
                yield report
