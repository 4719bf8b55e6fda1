"""Measures how well the shipped rules find what the simulator injects: ``python -m scoring``."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from local_azure.errors import LocalAzureError
from scoring.runs import Wanted, run
from simulator.errors import ExitCode, OutputFailed, SimulatorError
from simulator.score.charts import chart, chart_over
from simulator.score.compare import Scores, falling
from simulator.score.detectors import KINDS_WITH_GOAL
from simulator.score.goals import Goal, shortfalls
from simulator.score.outcome import Score
from simulator.score.report import print_score
from simulator.score.wording import counts, share

GOAL: Final = Goal(recall=0.95, precision=0.90)
SUBTLETIES: Final = (0.25, 0.5, 0.75, 1.0)
_DESCRIPTION: Final = """\
Simulate the profile mixed, send it through the whole pipeline on this machine with the shipped
rules, and score what was found against what was injected; then, with fewer payments, how recall
falls as violations hide better. The exit code is 1 if a kind of violation that has a goal misses
it. Scores and charts are written to a folder.
"""
_PART_OF_SWEEP: Final = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Score the shipped rules and return the exit code."""
    options = command_line().parse_args(arguments)
    console = Console()
    try:
        make_folder(options.folder)
        wanted = Wanted(options.payments, options.seed, options.subtlety)
        missed_goals = score_rules(wanted, options.folder, options.examples, console)
        if options.sweep:
            fewer = options.payments // _PART_OF_SWEEP
            sweep(wanted._replace(payments=fewer), options.folder, console)
    except SimulatorError as error:
        console.print(f"error: {error}", style="bold red", markup=False, highlight=False)
        return error.exit_code
    except (LocalAzureError, OSError) as error:
        console.print(f"error: {error}", style="bold red", markup=False, highlight=False)
        return ExitCode.UNREACHABLE
    except KeyboardInterrupt:
        console.print("stopped")
        return ExitCode.INTERRUPTED
    return ExitCode.BELOW_GOAL if missed_goals else ExitCode.OK


def command_line() -> argparse.ArgumentParser:
    """Return the parser of the arguments."""
    parser = argparse.ArgumentParser(prog="python -m scoring", description=_DESCRIPTION)
    parser.add_argument("--payments", type=int, default=200_000, help="how many (200000)")
    parser.add_argument("--seed", type=int, default=2026, help="of the simulator (2026)")
    parser.add_argument(
        "--subtlety",
        type=float,
        help="of all violations, 0 plain to see to 1 hardly told from ordinary payments"
        " (that of the profile)",
    )
    parser.add_argument("--examples", type=int, default=3, help="of each kind, at most (3)")
    parser.add_argument(
        "--no-sweep",
        dest="sweep",
        action="store_false",
        help="leave out the runs over subtlety, each of a quarter of the payments",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(".local/score"),
        help="where scores and charts are written (.local/score)",
    )
    return parser


def make_folder(folder: Path) -> None:
    """Make the folder for scores and charts, if it is not there.

    Raises:
        OutputFailed: that is not possible.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"cannot make the folder {folder}: {error.strerror}; name another by --folder"
        raise OutputFailed(msg) from error


def score_rules(wanted: Wanted, folder: Path, examples: int, console: Console) -> list[str]:
    """Run and score one simulation; return what misses its goal."""
    ledger, score = run(wanted, console, examples=examples)
    ledger.save(folder / "ledger.json")
    score.save(folder / "score.json")
    chart(score, folder / "score.svg")
    print_score(console, score)
    console.print(f"\n{without_goal(score)}", highlight=False)
    missed = shortfalls(score, GOAL, KINDS_WITH_GOAL)
    for line in missed:
        console.print(line, style="red", markup=False, highlight=False)
    if not missed:
        console.print(
            f"every kind with a goal has recall of {GOAL.recall:g} and precision of"
            f" {GOAL.precision:g} at least",
            style="bold green",
            highlight=False,
        )
    console.print(f"written: {folder}/score.json, score.svg, ledger.json", highlight=False)
    return missed


def without_goal(score: Score) -> str:
    """Return a line on what the shipped rules are not expected to find all of."""
    parts = [
        f"{each.kind} {share(each.recall.value)} ({counts(each.recall)})"
        for each in score.kinds
        if each.kind not in KINDS_WITH_GOAL and each.recall.whole
    ]
    return f"recall of kinds without a goal: {', '.join(parts) or 'none was injected'}"


def sweep(
    wanted: Wanted, folder: Path, console: Console, subtleties: Sequence[float] = SUBTLETIES
) -> None:
    """Run and score simulations of different subtlety, and show how recall falls."""
    scores: Scores = list(_scores(wanted, folder, console, subtleties))
    chart_over(scores, folder / "subtlety.svg")
    console.print(falling(scores))
    console.print(f"written: {folder}/subtlety.svg and subtlety-*.json", highlight=False)


def _scores(
    wanted: Wanted, folder: Path, console: Console, subtleties: Sequence[float]
) -> Iterator[tuple[float, Score]]:
    for subtlety in subtleties:
        console.print(f"\nsubtlety {subtlety:g}, {wanted.payments} payments", style="bold")
        _, score = run(wanted._replace(subtlety=subtlety), console, examples=0)
        score.save(folder / f"subtlety-{subtlety:g}.json")
        yield subtlety, score


if __name__ == "__main__":
    sys.exit(main())
