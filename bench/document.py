"""Writes the figures of ``python -m bench`` into docs/performance.md, as tables and plots."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bench.__main__ import BENCHMARKS, DEFAULT_FOLDER, ROOT, ratios_of
from bench.report import Ratio, Result, read_results, shown

DOCUMENT: Final = ROOT / "docs" / "performance.md"
PLOTS: Final = ROOT / "docs" / "performance"
BEGIN: Final = "<!-- figures: begin -->"
END: Final = "<!-- figures: end -->"


def markdown(results: Sequence[Result]) -> str:
    """Return results as Markdown: each table, then all ratios beside their goals."""
    parts = [
        part
        for result in results
        for part in table_lines(result, f"performance/{_plot_name(result)}")
    ]
    ratios = _ratios(ratios_of(results))
    return "\n".join([*parts, "### Every ratio beside its goal", "", *ratios, ""])


def between_markers(document: str, figures: str) -> str:
    """Return a document with new figures between its markers.

    Raises:
        ValueError: a marker is missing.
    """
    head, begin, rest = document.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        message = f"the document lacks {END if begin else BEGIN}"
        raise ValueError(message)
    return f"{head}{BEGIN}\n\n{figures}\n{END}{tail}"


def table_lines(result: Result, plot_file: str) -> Iterator[str]:
    """Yield the lines of a result's table, and of its plot if it has one."""
    where = ", ".join(f"{name} {value}" for name, value in result.machine.items())
    yield f"### `bench.{result.benchmark}`: {result.title}"
    yield ""
    yield f"{where}; the whole benchmark ran {result.seconds:.0f} s."
    yield ""
    yield _line(result.columns)
    yield _line(["---:"] * len(result.columns))
    for row in result.rows:
        yield _line([shown(cell) for cell in row])
    yield ""
    for remark in result.remarks:
        yield remark
        yield ""
    if result.series:
        yield f"![{result.title}]({plot_file})"
        yield ""


def _ratios(ratios: Sequence[Ratio]) -> Iterator[str]:
    yield _line(["ratio", "value", "spread of the run", "goal", "met"])
    yield _line(["---", "---:", "---:", "---:", "---"])
    for ratio in ratios:
        goal = "" if ratio.goal is None else f"{ratio.bound} {ratio.goal:g}"
        met = "" if ratio.goal is None else "yes" if ratio.met else "**no**"
        name = f"{ratio.name}<br>{ratio.remark}" if ratio.remark else ratio.name
        yield _line([name, f"{ratio.value:.2f}", f"{ratio.low:.2f} to {ratio.high:.2f}", goal, met])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _plot_name(result: Result) -> str:
    words = "".join(letter if letter.isalnum() else " " for letter in result.title.lower()).split()
    return f"{result.benchmark}-{'-'.join(words[:6])}.svg"


def plot(result: Result, file: Path) -> None:
    """Draw the series of a result as lines."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(7, 3.5), layout="constrained", facecolor="white")
    axes = figure.subplots()
    for name, points in result.series.items():
        axes.plot(*zip(*points, strict=True), label=name, marker="o", markersize=3)
    axes.set_title(result.title, fontsize=9)
    axes.set_ylim(bottom=0)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(file, metadata={"Date": None})


def main(arguments: Sequence[str] | None = None) -> int:
    """Rewrite the figures of the document."""
    parser = argparse.ArgumentParser(prog="python -m bench.document", description=__doc__)
    parser.add_argument(
        "--json", type=Path, default=DEFAULT_FOLDER, metavar="FOLDER", help="of python -m bench"
    )
    options = parser.parse_args(arguments)
    files = [options.json / f"{name}.json" for name in BENCHMARKS]
    results = [result for file in files if file.exists() for result in read_results(file)]
    if not results:
        sys.stderr.write(f"{options.json} holds no figures: run python -m bench first\n")
        return 1
    text = between_markers(DOCUMENT.read_text("utf-8"), markdown(results))
    DOCUMENT.write_text(text, "utf-8")
    PLOTS.mkdir(exist_ok=True)
    for result in results:
        if result.series:
            plot(result, PLOTS / _plot_name(result))
    sys.stdout.write(f"{DOCUMENT}: {len(results)} tables\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
