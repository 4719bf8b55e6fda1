"""``python -m simulator profiles``: shows ready-made configurations."""

import argparse
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.table import Table

from simulator.cli.argument_types import subcommand
from simulator.cli.standard_output import StandardOutput
from simulator.configuration.profile_files import location
from simulator.configuration.rendering import render
from simulator.configuration.shipped_profiles import load_profile, profiles
from simulator.errors import ExitCode

_DESCRIPTION: Final = """\
Lists the ready-made configurations, or prints one: as it is written, or with every option and its
meaning, to begin a configuration of your own.
"""
_EXAMPLES: Final = """\
examples:
  python -m simulator profiles
  python -m simulator profiles fraud-wave
  python -m simulator profiles steady --full > mine.yaml
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subcommand(
        commands, "profiles", "show ready-made configurations", _DESCRIPTION, _EXAMPLES
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="print this one")
    parser.add_argument("--full", action="store_true", help="with every option, and what it means")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Show all profiles or one; return the exit code."""
    console = StandardOutput()
    if options.name is None:
        table = Table("profile", "what it is for", box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
        for name, description in profiles().items():
            table.add_row(name, description)
        console.print(table)
        return ExitCode.OK
    configuration = load_profile(options.name)
    written = location(options.name).read_text("utf-8")
    text = render(configuration) if options.full else written
    console.out(text, end="", highlight=False)
    return ExitCode.OK
