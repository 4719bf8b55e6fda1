"""``python -m simulator validate``: checks configurations and mappings without running them."""

import argparse
from pathlib import Path
from typing import Final

from simulator.cli.argument_types import subcommand
from simulator.cli.standard_output import StandardOutput
from simulator.configuration.reading import read_configuration
from simulator.errors import ExitCode, SimulatorError
from simulator.replay.mapping_reading import read_mapping

_DESCRIPTION: Final = """\
Checks configurations of simulations, and mappings of replays, and tells every mistake at once:
where it stands, what is wrong, and what may have been meant.
"""
_EXAMPLES: Final = """\
examples:
  python -m simulator validate mine.yaml
  python -m simulator validate --map bank.yaml
  python -m simulator validate mine.yaml --set time.duration=24h
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subcommand(
        commands, "validate", "check configurations and mappings", _DESCRIPTION, _EXAMPLES
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="YAML files")
    parser.add_argument("--map", action="store_true", help="they are mappings for replay")
    parser.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="as for run",
    )
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Check all files; return the exit code."""
    console = StandardOutput(soft_wrap=True)
    exit_code = ExitCode.OK
    for file in options.files:
        try:
            if options.map:
                read_mapping(file)
            else:
                read_configuration(file, options.overrides)
        except SimulatorError as error:
            console.print(str(error), markup=False, highlight=False)
            exit_code = error.exit_code
        else:
            console.print(f"{file}: nothing is wrong", markup=False, highlight=False)
    return exit_code
