"""What is wrong with the arguments of a command, beyond what a parser sees in one of them."""

from simulator.errors import SimulatorError


class ArgumentsRefused(SimulatorError):
    """Options that contradict one another, or that would destroy a file."""
