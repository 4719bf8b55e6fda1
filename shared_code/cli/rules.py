"""``python -m shared_code rules``: the life of a rule set."""

import argparse
import sys

from shared_code.cli import (
    backfill,
    backtest,
    explain,
    rules_documents,
    rules_operations,
    rules_shadow,
    rules_values,
)
from shared_code.cli.printable import printable
from shared_code.cli.rules_arguments import Answer, database


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Add the commands about rules to a parser."""
    # Commands that are about the database only leave it to this group to open it.
    parser.set_defaults(answer=_of_database)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    rules_documents.add_commands(commands)
    rules_operations.add_commands(commands)
    rules_shadow.add_command(commands)
    backtest.add_command(commands)
    backfill.add_command(commands)
    explain.add_command(commands)
    rules_values.add_command(commands)


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen command and return its exit code.

    Raises:
        PaymentsError: the command failed; the message says what to do.
    """
    answer: Answer = arguments.answer(arguments)
    if answer.text:
        print(printable(answer.text))  # noqa: T201 - a command line's output
    if answer.errors:
        print(printable(answer.errors), file=sys.stderr)  # noqa: T201 - likewise
    return answer.exit_code


def _of_database(arguments: argparse.Namespace) -> Answer:
    return Answer(arguments.run(arguments, database()))
