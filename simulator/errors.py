"""Every error that the simulator raises on purpose, with the exit code that tells the shell."""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What a command tells the shell."""

    OK = 0
    BELOW_GOAL = 1
    USAGE = 2
    UNREACHABLE = 3
    REFUSED = 4
    OUTPUT = 5
    BAD_ROWS = 6
    INTERRUPTED = 130


class SimulatorError(Exception):
    """Something the person at the keyboard can mend; the message says what and how."""

    exit_code: ClassVar[ExitCode] = ExitCode.USAGE


class InvalidConfiguration(SimulatorError):
    """A configuration has mistakes; the message lists all of them."""


class InvalidConnection(SimulatorError):
    """The connection string, or the settings in its place, cannot be used."""


class EventHubsUnreachable(SimulatorError):
    """No connection to Event Hubs came about, or it was lost for longer than the retries last."""

    exit_code = ExitCode.UNREACHABLE


class EventHubsRefused(SimulatorError):
    """Event Hubs answered, and said no: wrong key, missing right, or no such event hub."""

    exit_code = ExitCode.REFUSED


class OutputFailed(SimulatorError):
    """A file could not be written or read."""

    exit_code = ExitCode.OUTPUT


class MissingLibrary(SimulatorError):
    """An optional library is not installed; the message says how to install it."""

    def __init__(self, library: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs {library}, which is not installed: "
            "pip install -r requirements-simulator.txt"
        )


class LedgerNotReady(SimulatorError):
    """The ledger was asked for before the last message was taken from the simulation."""
