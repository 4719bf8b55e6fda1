"""What can stop a replay."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from simulator.errors import ExitCode, SimulatorError


class InvalidMapping(SimulatorError):
    """A mapping has mistakes; the message lists all of them, each with its path."""

    def __init__(self, name: str, mistakes: Sequence[str]) -> None:
        super().__init__("\n  ".join([f"{name} has {_counted(len(mistakes))}:", *mistakes]))
        self.mistakes = tuple(mistakes)


def _counted(mistakes: int) -> str:
    return "a mistake" if mistakes == 1 else f"{mistakes} mistakes"


class UnreadableData(SimulatorError):
    """A file of payments cannot be read any further."""

    exit_code: ClassVar[ExitCode] = ExitCode.OUTPUT

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot read {path}: {reason}")
        self.path = path


class TooManyBadRows(SimulatorError):
    """More rows are bad than were to be put up with."""

    exit_code: ClassVar[ExitCode] = ExitCode.BAD_ROWS

    def __init__(self, most: int, last: str) -> None:
        super().__init__(f"more than {most} bad rows; the last one: {last}")
