"""What can go wrong while publishing, besides what ``simulator.errors`` names already."""

from simulator.errors import ExitCode, OutputFailed, SimulatorError


class MissingLibrary(SimulatorError):
    """An optional library is not installed; the message says how to install it."""

    def __init__(self, library: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs {library}, which is not installed: "
            "pip install -r requirements-simulator.txt"
        )


class OutputClosed(SimulatorError):
    """Whoever read the standard output wants no more, as ``head`` does: no failure."""

    exit_code = ExitCode.OK


class PublishingInterrupted(SimulatorError):
    """Ctrl-C; what had been taken but not acknowledged was spooled."""

    exit_code = ExitCode.INTERRUPTED


class SpoolFailed(OutputFailed):
    """Messages that were not acknowledged could not be spooled either: they are in danger."""
