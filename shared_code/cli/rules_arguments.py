"""What the commands about rules share: their arguments, what they read, and how they answer."""

import argparse
import getpass
import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from shared_code.cli.spans import instant
from shared_code.engine.rule_life import ACTIVE, stored_rules
from shared_code.errors import PaymentsError
from shared_code.settings import SettingsError, load_database_settings
from shared_code.store.database import Database
from shared_code.store.rule_archive import BlobRuleArchive, archive_of

PROGRAM: Final = "python -m shared_code rules"

_WIDTH: Final = 88
_MOST: Final = 1_000_000
_VERSION: Final = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")
_DURATION: Final = re.compile(r"\+([0-9]{1,6})([mhdw])")
_UNITS: Final = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


class Answer(NamedTuple):
    """What a command says, on standard output and on standard error, and its exit code."""

    text: str
    exit_code: int = 0
    errors: str = ""


type Command = Callable[[argparse.Namespace], Answer]


class InputUnreadable(PaymentsError):
    """A file that a command needs cannot be read."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"cannot read {path}: {problem}; name another file, or - for stdin")
        self.path = path


def add_parser(
    commands: Any, name: str, answer: Command, *, summary: str, description: str, example: str
) -> argparse.ArgumentParser:
    """Add a command whose help ends with an example; return its parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, **help_texts(summary, description, example)
    )
    parser.set_defaults(answer=answer)
    return parser


def help_texts(summary: str, description: str, example: str) -> dict[str, Any]:
    """Return what a parser takes to say what its command does, with an example."""
    return {
        "help": summary,
        "description": textwrap.fill(description, _WIDTH),
        "epilog": f"example:\n  {PROGRAM} {example}",
        "formatter_class": argparse.RawDescriptionHelpFormatter,
    }


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="answer in JSON, for machines")


def add_by(parser: argparse.ArgumentParser) -> None:
    """Add ``--by``."""
    parser.add_argument("--by", default=login_name(), help="who does it (the login name)")


def login_name() -> str:
    """Return the name of the operating system's user."""
    try:
        return getpass.getuser()
    except OSError:  # a container's user may have no name
        return "an operator"


def text_given(text: str) -> str:
    """Return a text that says something.

    Raises:
        argparse.ArgumentTypeError: it is empty.
    """
    if not text.strip():
        message = "say why, in words"
        raise argparse.ArgumentTypeError(message)
    return text


def moment(text: str) -> datetime:
    """Return a time given as RFC 3339, or as a duration from now such as +90m, +8h, +7d or +2w.

    Raises:
        argparse.ArgumentTypeError: it is neither.
    """
    try:
        if duration := _DURATION.fullmatch(text):
            return datetime.now(UTC) + int(duration[1]) * _UNITS[duration[2]]
        return instant(text)
    except (ValueError, OverflowError):
        message = f"expected a time such as 2026-01-31T12:00Z, or +8h, +7d; found {text!r}"
        raise argparse.ArgumentTypeError(message) from None


def number_from(least: int) -> Callable[[str], int]:
    """Return what takes a whole number from ``least`` to a million out of an argument."""

    def number(text: str) -> int:
        if re.fullmatch("[0-9]{1,7}", text) and least <= int(text) <= _MOST:
            return int(text)
        message = f"expected a whole number from {least} to {_MOST}, found {text!r}"
        raise argparse.ArgumentTypeError(message)

    return number


def read_file(path: str) -> bytes:
    """Return the bytes of a file; of standard input for ``-``.

    Raises:
        InputUnreadable: there is no such file, or it may not be read.
    """
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputUnreadable(path, error.strerror or str(error)) from error


def read_rules(name: str) -> bytes:
    """Return a rule document: of the database for ``active`` or a version, else of a file.

    Raises:
        InputUnreadable: there is no such file.
        NoSuchRuleSet: the database has no such version.
        SettingsError: the database is asked for, and not set.
        StoreUnavailable: the database failed.
    """
    if name == ACTIVE or _VERSION.fullmatch(name):
        return stored_rules(database(), name)
    return read_file(name)


def database() -> Database:
    """Return the database that app settings name.

    Raises:
        SettingsError: they name none, or one is wrong.
    """
    return Database(load_database_settings())


def database_if_set() -> Database | None:
    """Return the database that app settings name; None if they name none.

    Raises:
        SettingsError: a setting is wrong.
    """
    try:
        return database()
    except SettingsError as error:
        if error.name == "DATABASE_URL" and error.problem.startswith("is missing"):
            return None
        raise


def archive() -> BlobRuleArchive:
    """Return the blob storage that app settings name.

    Raises:
        SettingsError: they name none.
    """
    found = archive_of()
    if found is None:
        raise SettingsError("RulesStorage", "is missing", "UseDevelopmentStorage=true")
    return found


def json_text(value: Any) -> str:
    """Return values as JSON for machines: decimals are texts, times are RFC 3339."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Return rows of text as columns that are as wide as need be; the first row is the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def shown_time(time: datetime) -> str:
    """Return a time for people, in UTC."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
