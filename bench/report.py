"""What every benchmark ends with: a table, ratios beside their goals, and both as JSON."""

import argparse
import os
import platform
import statistics
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table

type Bound = Literal["at least", "at most"]
type Cell = str | int | float | None

EXIT_GOAL_MISSED: Final = 1


class Ratio(msgspec.Struct, frozen=True):
    """A figure beside a baseline of the same run.

    Attributes:
        name: what is compared with what.
        value: median over the rounds of the run.
        low: lowest round.
        high: highest round.
        goal: None where there is none.
        bound: on which side of the goal the ratio is to be.
        remark: where the time goes, if the goal is missed.
    """

    name: str
    value: float
    low: float
    high: float
    goal: float | None = None
    bound: Bound = "at least"
    remark: str = ""

    @property
    def met(self) -> bool:
        """Whether the goal is met; True where there is none."""
        if self.goal is None:
            return True
        return self.value >= self.goal if self.bound == "at least" else self.value <= self.goal


class Result(msgspec.Struct, frozen=True):
    """One table of a benchmark and the ratios that it shows.

    Attributes:
        benchmark: name of the module in ``bench/``.
        title: what was measured, with sizes and settings.
        columns: headings of the table.
        rows: cells of the table, absolute figures beside every ratio.
        ratios: what is held against goals.
        seconds: how long the benchmark ran.
        machine: the machine's cores, Python and PostgreSQL.
        series: points for plots, by name: pairs of x and y.
        remarks: what a reader has to know beside the figures.
    """

    benchmark: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    ratios: Sequence[Ratio]
    seconds: float
    machine: dict[str, str]
    series: dict[str, Sequence[tuple[float, float]]] = {}
    remarks: Sequence[str] = ()


class Spread(NamedTuple):
    """The median of some rounds with the lowest and the highest of them."""

    median: float
    low: float
    high: float


def spread(rounds: Sequence[float]) -> Spread:
    """Return the median, lowest and highest of the rounds of a run."""
    return Spread(statistics.median(rounds), min(rounds), max(rounds))


def machine(postgresql: str | None = None) -> dict[str, str]:
    """Return what figures of this machine have to be read beside."""
    # Built without profile-guided optimisation, Python is slower at the same work.
    optimised = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    python = platform.python_version() + ("" if optimised else " without PGO")
    found = {"cores": str(os.cpu_count()), "Python": python}
    if postgresql is not None:
        found["PostgreSQL"] = postgresql
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that every benchmark has."""
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")


def conclude(results: Sequence[Result], json_file: Path | None) -> int:
    """Print the results, write them where asked, and return the exit code: 1 if a goal is missed.

    Args:
        results: what the benchmark measured, one for each table.
        json_file: where the results are written as a JSON array of ``Result``; None for nowhere.
    """
    console = Console()
    for result in results:
        console.print(table_of(result))
        for remark in result.remarks:
            console.print(remark)
        if result.ratios:
            console.print(ratios_table(result.ratios))
    if json_file is not None:
        json_file.write_bytes(msgspec.json.format(msgspec.json.encode(list(results)), indent=2))
    met = all(ratio.met for result in results for ratio in result.ratios)
    return 0 if met else EXIT_GOAL_MISSED


def read_results(json_file: Path) -> list[Result]:
    """Return the results that ``conclude`` wrote.

    Raises:
        msgspec.ValidationError: the file is no benchmark's.
    """
    return msgspec.json.decode(json_file.read_bytes(), type=list[Result])


def table_of(result: Result) -> Table:
    """Return a result as a table."""
    where = ", ".join(f"{name} {value}" for name, value in result.machine.items())
    table = Table(title=f"{result.title} ({where}; {result.seconds:.0f} s)")
    for column in result.columns:
        table.add_column(column, justify="right")
    for row in result.rows:
        table.add_row(*map(shown, row))
    return table


def ratios_table(ratios: Sequence[Ratio]) -> Table:
    """Return ratios as a table, each beside its spread and its goal."""
    table = Table(title="Ratios")
    for column in ("ratio", "value", "spread", "goal", "met"):
        table.add_column(column, justify="left" if column == "ratio" else "right")
    for ratio in ratios:
        goal = "" if ratio.goal is None else f"{ratio.bound} {ratio.goal:g}"
        table.add_row(
            f"{ratio.name}\n{ratio.remark}" if ratio.remark else ratio.name,
            f"{ratio.value:.2f}",
            f"{ratio.low:.2f} to {ratio.high:.2f}",
            goal,
            "" if ratio.goal is None else "yes" if ratio.met else "no",
        )
    return table


def shown(cell: Cell) -> str:
    """Return a cell as it is printed."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:,.2f}"
    return f"{cell:,}" if isinstance(cell, int) else cell
