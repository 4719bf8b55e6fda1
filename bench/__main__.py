"""Runs every benchmark, each in a process of its own, and ends with one table of all ratios."""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from bench.report import Ratio, Result, ratios_table, read_results

ROOT: Final = Path(__file__).parents[1]
DEFAULT_FOLDER: Final = ROOT / ".local" / "bench"
EXIT_FAILED: Final = 2
# Name and arguments: sizes at which all of them end within a quarter of an hour on two cores.
BENCHMARKS: Final = {
    "write_path": (),
    "compute": (),
    "function": (),
    "aggregate": (),
    "growth": (),
    "reading": (),
    "contention": (),
    "end_to_end": (),
    "rules": (),
    "generate": (),
    "publish": (),
}
_GOAL_MISSED: Final = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks; exit code 1 if a goal was missed, 2 if a benchmark failed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(BENCHMARKS), help="run just these")
    parser.add_argument("--list", action="store_true", help="name the benchmarks and end")
    parser.add_argument(
        "--json",
        type=Path,
        default=DEFAULT_FOLDER,
        metavar="FOLDER",
        help="where the figures of each are written (.local/bench)",
    )
    options = parser.parse_args(arguments)
    if options.list:
        sys.stdout.write("\n".join(BENCHMARKS) + "\n")
        return 0
    options.json.mkdir(parents=True, exist_ok=True)
    console = Console()
    codes: dict[str, int] = {}
    seconds: dict[str, float] = {}
    for name in options.only or BENCHMARKS:
        console.rule(name)
        began = time.monotonic()
        codes[name] = _run(name, options.json / f"{name}.json")
        seconds[name] = time.monotonic() - began
    console.rule("all")
    results = [
        result
        for name, code in codes.items()
        if code in {0, _GOAL_MISSED}
        for result in read_results(options.json / f"{name}.json")
    ]
    _conclude(console, results, codes, seconds)
    if any(code not in {0, _GOAL_MISSED} for code in codes.values()):
        return EXIT_FAILED
    return _GOAL_MISSED if _GOAL_MISSED in codes.values() else 0


def _run(name: str, json_file: Path) -> int:
    json_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", f"bench.{name}", *BENCHMARKS[name], "--json", str(json_file)]
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    # Python's own exit code for an error is that of a missed goal: only the figures tell.
    return code if json_file.exists() else EXIT_FAILED


def _conclude(
    console: Console,
    results: Sequence[Result],
    codes: dict[str, int],
    seconds: dict[str, float],
) -> None:
    ended = Table(title="Benchmarks")
    for heading in ("benchmark", "seconds", "ended"):
        ended.add_column(heading, justify="right" if heading == "seconds" else "left")
    said = {0: "every goal met", _GOAL_MISSED: "a goal was missed"}
    for name, code in codes.items():
        ended.add_row(name, f"{seconds[name]:.0f}", said.get(code, "FAILED"))
    console.print(ended)
    console.print(ratios_table(ratios_of(results)))


def ratios_of(results: Sequence[Result]) -> list[Ratio]:
    """Return every ratio, named after its benchmark, too."""
    return [
        msgspec.structs.replace(ratio, name=f"{result.benchmark}: {ratio.name}")
        for result in results
        for ratio in result.ratios
    ]


if __name__ == "__main__":
    sys.exit(main())
