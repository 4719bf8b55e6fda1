"""The operator's command line: ``python -m shared_code``."""

import argparse
import os
import sys
from collections.abc import Sequence

from shared_code.cli import maintenance, report, roles, rules
from shared_code.cli.printable import printable
from shared_code.errors import PaymentsError

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


def command_line() -> argparse.ArgumentParser:
    """Return the parser of every command; what it parses knows by ``group`` how to run."""
    parser = argparse.ArgumentParser(
        prog="python -m shared_code",
        description="Operate the payment metrics. Settings are taken from the environment, as the"
        " functions take their app settings.",
    )
    groups = parser.add_subparsers(title="groups", required=True, metavar="GROUP")
    for name, group, summary in (
        ("maintenance", maintenance, "partitions of the database"),
        ("roles", roles, "who may do what in the database"),
        ("rules", rules, "check, try, upload, follow and roll back rule documents"),
    ):
        commands = groups.add_parser(name, help=summary)
        commands.set_defaults(group=group.run)
        group.add_commands(commands)
    summary = "write what happened within a span as a page"
    reporting = groups.add_parser("report", help=summary, description=report.DESCRIPTION)
    reporting.set_defaults(group=report.run)
    report.add_arguments(reporting)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0 is done, 1 failed or refused, 2 wrong usage, 130 interrupted.
    """
    chosen = command_line().parse_args(arguments)
    try:
        exit_code: int | None = chosen.group(chosen)
        sys.stdout.flush()
    except PaymentsError as error:
        print(printable(f"error: {error}"), file=sys.stderr)  # noqa: T201 - a command line's output
        return EXIT_FAILED
    except BrokenPipeError:
        # Whoever reads has left, as head does; what is still to be written goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)  # noqa: T201 - likewise
        return EXIT_INTERRUPTED
    return exit_code or 0


if __name__ == "__main__":
    sys.exit(main())
