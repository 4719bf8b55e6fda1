"""The operator's command line: ``python -m shared_code``."""

import argparse
import sys
from collections.abc import Sequence

from shared_code.cli import maintenance, rules
from shared_code.errors import PaymentsError

EXIT_FAILED = 1


def command_line() -> argparse.ArgumentParser:
    """Return the parser of every command; what it parses knows by ``group`` how to run."""
    parser = argparse.ArgumentParser(
        prog="python -m shared_code",
        description="Operate the payment metrics. Settings are taken from the environment, as the"
        " functions take their app settings.",
    )
    groups = parser.add_subparsers(title="groups", required=True, metavar="GROUP")
    for name, group, summary in (
        ("maintenance", maintenance, "partitions and roles of the database"),
        ("rules", rules, "check, try, upload, follow and roll back rule documents"),
    ):
        commands = groups.add_parser(name, help=summary)
        commands.set_defaults(group=group.run)
        group.add_commands(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 failed or refused, 2 wrong usage."""
    chosen = command_line().parse_args(arguments)
    try:
        exit_code: int | None = chosen.group(chosen)
    except PaymentsError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - a command line's output
        return EXIT_FAILED
    return exit_code or 0


if __name__ == "__main__":
    sys.exit(main())
