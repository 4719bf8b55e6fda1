"""What can go wrong while publishing, besides what ``simulator.errors`` names already."""

from simulator.errors import ExitCode, OutputFailed, SimulatorError


class OutputClosed(SimulatorError):
    """Whoever read the standard output wants no more, as ``head`` does: no failure."""

    exit_code = ExitCode.OK


class PublishingInterrupted(SimulatorError):
    """Ctrl-C; what had been taken but not acknowledged was spooled."""

    exit_code = ExitCode.INTERRUPTED


class SpoolFailed(OutputFailed):
    """Messages that were not acknowledged could not be spooled either: they are in danger."""
