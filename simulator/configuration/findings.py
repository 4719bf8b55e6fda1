"""What is wrong with the meaning of a configuration, before it is known where it is written."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from simulator.configuration.errors import Path
from simulator.configuration.structure import Configuration


class Finding(NamedTuple):
    """One thing that contradicts itself or does not exist.

    Attributes:
        path: what to mend.
        template: the message, with ``{}`` for each value that it shows.
        about: the paths of those values, and after them of others that it depends on.
        suggestion: what to do.
        known: what the first value might have been meant to be, if that is to be suggested.
    """

    path: Path
    template: str
    about: Sequence[Path] = ()
    suggestion: str = ""
    known: Sequence[str] = ()


def value_at(configuration: Configuration, path: Path) -> Any:
    """Return the value at a path, whether it is written or a default."""
    value: Any = configuration
    for step in path:
        value = value[step] if isinstance(step, int) else getattr(value, step)
    return value
