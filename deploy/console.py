"""Lines for people: what a step does while it does it."""

import sys

from shared_code.cli.printable import printable


def say(line: str) -> None:
    """Write a line that whoever watches a log sees at once."""
    sys.stdout.write(f"{printable(line)}\n")
    sys.stdout.flush()
