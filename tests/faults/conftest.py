"""Fault tests: how hard they try, and the table that they close with.

``FAULTS=full`` (set by ``tox run -e faults``) runs every fault as often as it takes to believe it;
the default run does the same things a few times each.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fault_report import FaultCount
from rich.console import Console
from rich.table import Table

from local_azure.config import load_config
from local_azure.environment import LocalAzure

ROOT = Path(__file__).parents[2]

_counts = pytest.StashKey[list[FaultCount]]()


@pytest.fixture(scope="session")
def full() -> bool:
    """Whether every fault is to be tried as often as it takes to believe it."""
    return os.environ.get("FAULTS") == "full"


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[LocalAzure]:
    """All services, each test its own; the test starts the host and breaks what it likes."""
    config = load_config(ROOT / "local_azure.yaml")
    functions = replace(config.functions, port=0)
    config = replace(config, data_folder=tmp_path / "local", functions=functions)
    with LocalAzure(config) as local:
        yield local


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Callable[[FaultCount], None]:
    """Give a function that puts a count into the closing table and fails on loss and doubling."""
    counts = request.config.stash.setdefault(_counts, [])

    def keep(count: FaultCount) -> None:
        counts.append(count)
        assert count.lost == 0, f"{count.lost} events were lost"
        assert count.doubled == 0, f"{count.doubled} events were counted twice"
        assert count.stored + count.rejected == count.sent, count

    return keep


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print what every fault did."""
    counts = config.stash.get(_counts, [])
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
