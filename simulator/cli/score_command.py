"""``python -m simulator score``: holds what the pipeline found against what was injected."""

import argparse
from pathlib import Path
from typing import Final

from simulator.cli.argument_types import natural, share, subcommand
from simulator.cli.file_arguments import keep_apart
from simulator.cli.standard_output import StandardOutput
from simulator.errors import ExitCode
from simulator.ledger import Ledger
from simulator.score.charts import chart
from simulator.score.goals import Goal, shortfalls
from simulator.score.reading import pipeline_database
from simulator.score.report import print_score
from simulator.score.scoring import score

_DESCRIPTION: Final = """\
Compares the ledger of a simulation with what the pipeline found in it, in its alerts, rule matches,
quality flags and rejected events: recall, precision and F1 of each kind of violation, the time to
detection, and what was missed or falsely found. docs/simulator/score.md defines each of them.
"""
_EXAMPLES: Final = """\
examples:
  python -m simulator run --profile mixed --ledger ledger.json
  python -m simulator score ledger.json
  python -m simulator score ledger.json --kinds structuring,fan_in --examples 20
  python -m simulator score ledger.json --json score.json --chart score.svg
  python -m simulator score ledger.json --minimum-recall 0.95 --minimum-precision 0.9

environment:
  DATABASE_URL, or DATABASE_HOST and others
      the pipeline's database, as its functions take it; the reader's rights are enough
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subcommand(
        commands, "score", "compare what was found with what was injected", _DESCRIPTION, _EXAMPLES
    )
    parser.add_argument("ledger", type=Path, metavar="LEDGER", help="as run --ledger wrote it")
    parser.add_argument("--database-url", metavar="URL", help="default: the app settings'")
    parser.add_argument(
        "--kinds",
        type=lambda text: tuple(name.strip() for name in text.split(",")),
        default=(),
        metavar="A,B,...",
        help="score these kinds of violations only",
    )
    parser.add_argument(
        "--examples",
        type=natural,
        default=5,
        metavar="N",
        help="missed and false ones of each kind to name (default: 5)",
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the score here, too")
    parser.add_argument("--chart", type=Path, metavar="OUT", help="draw it: .svg or .png")
    for name in ("recall", "precision"):
        parser.add_argument(
            f"--minimum-{name}",
            type=share,
            metavar="SHARE",
            help=f"exit with {ExitCode.BELOW_GOAL} if a kind has less",
        )
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Score and print; return the exit code."""
    keep_apart([options.ledger], {"--json": options.json, "--chart": options.chart})
    ledger = Ledger.load(options.ledger)
    with pipeline_database(options.database_url) as connection:
        found = score(connection, ledger, examples=options.examples, kinds=options.kinds)
    console = StandardOutput()
    print_score(console, found)
    if options.json is not None:
        found.save(options.json)
    if options.chart is not None:
        chart(found, options.chart)
    missed = shortfalls(found, Goal(options.minimum_recall, options.minimum_precision))
    for line in missed:
        console.print(line, style="red", markup=False, highlight=False)
    return ExitCode.BELOW_GOAL if missed else ExitCode.OK
