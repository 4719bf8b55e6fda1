"""Fault tests: how hard they try, and the table that they close with.

``FAULTS=full`` (set by ``tox run -e faults``) runs every fault as often as it takes to believe it;
the default run does the same things a few times each.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from fault_load import Pipeline
from fault_report import FaultCount
from rich.console import Console
from rich.table import Table

from local_azure.config import load_config
from local_azure.environment import LocalAzure

ROOT = Path(__file__).parents[2]

# Under it a count is kept in its test's report, which reaches the process that prints the table.
_COUNT = "fault count"
_SHOWN_OF_LOG = 6000


@pytest.fixture(scope="session")
def full() -> bool:
    """Whether every fault is to be tried as often as it takes to believe it."""
    return os.environ.get("FAULTS") == "full"


class _Pipelines:
    """Gives each test a pipeline: a new one, or that of the test before, if all was well with it.

    Starting all parts takes longer than some faults do.
    """

    def __init__(self, new_folder: Callable[[], Path]) -> None:
        self._new_folder = new_folder
        self._parts = ExitStack()
        self._current: Pipeline | None = None

    def give(self, *, fresh: bool) -> Pipeline:
        if self._current is None or fresh or not self._current.sound:
            self.stop()
            config = load_config(ROOT / "local_azure.yaml")
            functions = replace(config.functions, port=0)
            config = replace(config, data_folder=self._new_folder(), functions=functions)
            self._current = Pipeline(self._parts.enter_context(LocalAzure(config)))
        self._current.sound = False
        self._current.local.start_host()
        return self._current

    def stop(self) -> None:
        self._current = None
        self._parts.close()


@pytest.fixture(scope="session")
def _pipelines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Pipelines]:
    pipelines = _Pipelines(lambda: tmp_path_factory.mktemp("pipeline"))
    yield pipelines
    pipelines.stop()


@pytest.fixture
def pipeline(_pipelines: _Pipelines, *, full: bool) -> Iterator[Pipeline]:
    """Everything running, the function host too; a test breaks what it likes and settles."""
    given = _pipelines.give(fresh=full)
    yield given
    # Shown with a failure alone: a host that has died says why.
    log = given.local.folder / "functions" / "functions.log"
    if log.exists():
        sys.stdout.write(log.read_text("utf-8", "replace")[-_SHOWN_OF_LOG:])


@pytest.fixture
def record(
    record_property: Callable[[str, object], None],
) -> Callable[[FaultCount], None]:
    """Give a function that puts a count into the closing table and fails on loss and doubling."""

    def keep(count: FaultCount) -> None:
        record_property(_COUNT, tuple(count))
        assert count.lost == 0, f"{count.lost} events were lost"
        assert count.doubled == 0, f"{count.doubled} events were counted twice"
        assert count.stored + count.rejected == count.sent, count

    return keep


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what every fault did."""
    counts = [
        FaultCount(*value)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, value in report.user_properties
        if name == _COUNT
    ]
    if not counts:
        return
    table = Table(title="Faults")
    for heading in FaultCount._fields:
        table.add_column(
            heading.replace("_", " "), justify="left" if heading == "fault" else "right"
        )
    for count in counts:
        table.add_row(*(_shown(cell) for cell in count))
    console = Console(width=140, no_color=True)
    with console.capture() as captured:
        console.print(table)
    terminalreporter.write_line(captured.get())


def _shown(cell: str | float | None) -> str:
    if cell is None:
        return ""
    return (
        f"{cell:.1f}" if isinstance(cell, float) else f"{cell:,}" if isinstance(cell, int) else cell
    )
