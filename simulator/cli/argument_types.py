"""What options may hold, and how a parser of a command looks."""

import argparse
from datetime import datetime


def subcommand(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    summary: str,
    description: str,
    examples: str,
) -> argparse.ArgumentParser:
    """Add a command with its help, and return its parser."""
    return commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def moment(text: str) -> datetime:
    """Read a time with offset."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        value = datetime.min  # noqa: DTZ901 - stands for what is no time
    if value.tzinfo is None:
        msg = f"expected a time with offset such as 2026-01-31T12:05:00Z, found {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return value


def positive(text: str) -> float:
    """Read a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        msg = f"expected a number above 0, found {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return value


def count(text: str) -> int:
    """Read a whole number above 0."""
    value = int(text) if text.isascii() and text.isdigit() else 0
    if value < 1:
        msg = f"expected a whole number above 0, found {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return value


def natural(text: str) -> int:
    """Read a whole number, 0 included."""
    value = int(text) if text.isascii() and text.isdigit() else -1
    if value < 0:
        msg = f"expected a whole number, 0 or more, found {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return value


def share(text: str) -> float:
    """Read a number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        msg = f"expected a number from 0 to 1, found {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return value
