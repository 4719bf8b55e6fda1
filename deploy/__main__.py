"""The pipelines' command line: ``python -m deploy COMMAND``.

Workflows call each command in one line; people can do the same by hand. Exit codes:

    0    done, or nothing to do
    1    failed, refused, or not as it has to be; the message says what to do
    2    wrong usage
    130  interrupted
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Final, NamedTuple

from shared_code.cli.printable import printable
from shared_code.errors import PaymentsError

EXIT_FAILED: Final = 1
EXIT_INTERRUPTED: Final = 130
_EXIT_CODES: Final = (
    "exit codes: 0 done; 1 failed, refused, or not as it has to be; 2 wrong usage; 130 interrupted"
)


class Command(NamedTuple):
    """A command of the table.

    Attributes:
        where: ``module:function`` of what adds its arguments to a parser and sets ``run``.
        summary: its line in the list of commands.
    """

    where: str
    summary: str


# Only the module of the command that is called is imported: some need what others do not have.
COMMANDS: Final[Mapping[str, Command]] = {
    "package": Command("deploy.commands.packages:add_package", "build the zip of a release"),
    "check-package": Command(
        "deploy.commands.packages:add_check_package", "does every function of a zip load?"
    ),
    "check-migrations": Command(
        "deploy.commands.migrations:add_check", "are the revisions safe to run under traffic?"
    ),
    "restore-point": Command(
        "deploy.commands.migrations:add_restore_point", "note the time to restore to"
    ),
    "bootstrap-roles": Command(
        "deploy.commands.migrations:add_bootstrap", "set up the database's roles"
    ),
    "migrate": Command("deploy.commands.migrations:add_migrate", "bring a database to the head"),
    "validate-schema": Command(
        "deploy.commands.migrations:add_validate", "is the database what the code wants?"
    ),
    "preview-downgrade": Command(
        "deploy.commands.migrations:add_preview", "what would a downgrade drop?"
    ),
    "downgrade": Command("deploy.commands.migrations:add_downgrade", "take revisions back"),
    "publish": Command("deploy.commands.releases:add_publish", "put a package into a target"),
    "smoke-test": Command(
        "deploy.commands.releases:add_smoke_test", "does what was published run?"
    ),
    "swap": Command("deploy.commands.releases:add_swap", "make the staging slot production"),
    "watch": Command("deploy.commands.releases:add_watch", "does production go on as well?"),
    "rollback": Command("deploy.commands.releases:add_rollback", "take a release back"),
    "upload-rules": Command("deploy.commands.releases:add_upload_rules", "hand in a rule document"),
    "event-grid-subscription": Command(
        "deploy.commands.releases:add_event_grid", "let uploads of rules reach their function"
    ),
    "check-terraform": Command(
        "deploy.infrastructure.commands:add_check_terraform", "would the provider take it?"
    ),
    "test-terraform": Command(
        "deploy.infrastructure.commands:add_test_terraform", "do the modules pass their tests?"
    ),
    "check-workflows": Command(
        "deploy.infrastructure.commands:add_check_workflows", "are they safe, and will they run?"
    ),
    "module-reference": Command(
        "deploy.infrastructure.commands:add_module_reference", "write the page on the modules"
    ),
    "extract-terraform-schema": Command(
        "deploy.infrastructure.commands:add_extract_schema", "what the provider's resources take"
    ),
    "plan-terraform": Command("deploy.commands.plans:add_plan", "what would Terraform change?"),
    "apply-terraform": Command("deploy.commands.plans:add_apply", "apply exactly such a plan"),
    "comment-plans": Command(
        "deploy.commands.plans:add_comment", "show plans on their pull request"
    ),
    "report-drift": Command(
        "deploy.commands.plans:add_drift", "keep an issue of what is not as the code says"
    ),
}


def command_line(name: str | None) -> argparse.ArgumentParser:
    """Return the parser of every command, with the arguments of the one that is called."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy",
        description="Package, migrate, publish, prove and take back releases. Settings are taken"
        " from the environment, as the functions take their app settings.",
        epilog=_EXIT_CODES,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for each, command in COMMANDS.items():
        added = commands.add_parser(each, help=command.summary, epilog=_EXIT_CODES)
        if each == name:
            module, _, function = command.where.partition(":")
            getattr(import_module(module), function)(added)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; the module says what they mean."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    chosen = command_line(next(iter(given), None)).parse_args(given)
    try:
        exit_code: int | None = chosen.run(chosen)
    except PaymentsError as error:
        print(printable(f"error: {error}"), file=sys.stderr)  # noqa: T201 - a command line's output
        return EXIT_FAILED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)  # noqa: T201 - likewise
        return EXIT_INTERRUPTED
    return exit_code or 0


if __name__ == "__main__":
    sys.exit(main())
