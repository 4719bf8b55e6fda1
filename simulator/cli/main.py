"""``python -m simulator COMMAND``: parses, runs, and turns errors into exit codes."""

import argparse
import logging
from collections.abc import Sequence

from rich.console import Console

from simulator.cli import (
    profiles_command,
    replay_command,
    run_command,
    score_command,
    validate_command,
)
from simulator.cli.reporting import JsonLog
from simulator.errors import ExitCode, SimulatorError

_DESCRIPTION = """\
Makes payments: from a configuration and a seed, or from anybody's data; sends them to Event Hubs;
keeps account of what they add up to and of every violation in them; and scores what was found.
"""
_EPILOG = f"""\
where to begin:
  python -m simulator run --profile clean --stdout | head -3   look at some
  python -m simulator run --ledger ledger.json                 send them to EventHubConnection
  python -m simulator score ledger.json                        what did the pipeline find?
  python -m simulator profiles                                 ready-made configurations
  python -m simulator COMMAND --help                           options, examples

exit codes:
  {ExitCode.OK}    done
  {ExitCode.BELOW_GOAL}    score: below what --minimum-recall or --minimum-precision asks for
  {ExitCode.USAGE}    wrong arguments, configuration, mapping or connection string
  {ExitCode.UNREACHABLE}    no event hub or database can be reached; what was on its way is spooled
  {ExitCode.REFUSED}    the event hub refuses: wrong key, missing right, no such event hub
  {ExitCode.OUTPUT}    a file cannot be read or written
  {ExitCode.BAD_ROWS}    replay: more bad rows than --max-rejects
  {ExitCode.INTERRUPTED}  interrupted; after one Ctrl-C the ledger covers what was generated
"""
_COMMANDS = (run_command, replay_command, score_command, validate_command, profiles_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(
        title="commands", required=True, metavar="COMMAND", dest="name_of_command"
    )
    for command in _COMMANDS:
        command.add_to(commands)
    options = parser.parse_args(arguments)
    # The SDK logs each retry; what it gives up on is told once, by the error below.
    logging.getLogger("azure").addHandler(logging.NullHandler())
    try:
        return int(options.command(options))
    except SimulatorError as error:
        _tell(options, str(error), error.exit_code)
        return error.exit_code
    except KeyboardInterrupt:
        _tell(options, "interrupted", ExitCode.INTERRUPTED)
        return ExitCode.INTERRUPTED


def _tell(options: argparse.Namespace, text: str, exit_code: ExitCode) -> None:
    if getattr(options, "log", "text") == "json":
        JsonLog(options.name_of_command).fail(text, exit_code=exit_code)
        return
    console = Console(stderr=True, soft_wrap=True)
    if exit_code != ExitCode.INTERRUPTED:
        text = f"error: {text}"
    console.print(text, style="bold red", markup=False, highlight=False)
