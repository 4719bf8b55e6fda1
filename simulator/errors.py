"""Every error that the simulator raises on purpose."""


class SimulatorError(Exception):
    """Something the person at the keyboard can mend; the message says what and how."""


class InvalidParameters(SimulatorError):
    """A parameter of the simulation is out of its range."""

    def __init__(self, parameter: str, expected: str, found: object) -> None:
        super().__init__(f"{parameter} must be {expected}, found {found}")
        self.parameter = parameter


class InvalidConnection(SimulatorError):
    """The connection string, or the settings in its place, cannot be used."""


class EventHubsUnreachable(SimulatorError):
    """No connection to Event Hubs came about, or it was lost for longer than the retries last."""


class EventHubsRefused(SimulatorError):
    """Event Hubs answered, and said no: wrong key, missing right, or no such event hub."""


class OutputFailed(SimulatorError):
    """A file could not be written or read."""


class LedgerNotReady(SimulatorError):
    """The ledger was asked for before the last message was taken from the simulation."""
