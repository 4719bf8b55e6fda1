"""What keeps a simulation from being scored."""

from simulator.errors import ExitCode, SimulatorError


class UnknownKind(SimulatorError):
    """A kind of violation was asked for that does not exist."""


class InvalidDatabase(SimulatorError):
    """Nothing says where the pipeline's database is, or what says so is wrong."""


class DatabaseUnreachable(SimulatorError):
    """The pipeline's database did not answer, or not in time."""

    exit_code = ExitCode.UNREACHABLE


class ChartFailed(SimulatorError):
    """A chart could not be drawn or written."""

    exit_code = ExitCode.OUTPUT
