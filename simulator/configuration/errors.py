"""What is wrong with a configuration: each mistake with its place, all of them in one error."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from simulator.errors import InvalidConfiguration

type Path = tuple[str | int, ...]
"""Keys and positions in lists, from the top of a configuration to one of its values."""

MAX_MISTAKES: Final = 100
_LONGEST_KEY: Final = 60


class Place(NamedTuple):
    """Where something is written: a file or an option; lines and columns count from 1.

    ``line`` is 0 where there are none: in options, and in files that cannot be read.
    """

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


class Mistake(NamedTuple):
    """One thing to mend; ``path`` is that of the value in the configuration."""

    place: Place
    path: Path
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        place = f"{self.place} {dotted(self.path)}" if self.path else str(self.place)
        advice = f"; {self.suggestion}" if self.suggestion else ""
        return f"{place}: {self.message}{advice}"


class ConfigurationRefused(InvalidConfiguration):
    """A configuration with at least one mistake; it carries them all, and prints one a line."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes: Sequence[Mistake] = tuple(dict.fromkeys(mistakes))
        lines = [str(each) for each in self.mistakes[:MAX_MISTAKES]]
        left_out = ["and more"] if len(self.mistakes) > MAX_MISTAKES else []
        super().__init__("\n".join([*lines, *left_out]))


def dotted(path: Path) -> str:
    """Return a path as options and messages write it, such as ``countries.3.weight``."""
    return ".".join(map(_step, path))


def _step(step: str | int) -> str:
    text = str(step)
    if len(text) > _LONGEST_KEY:
        text = f"{text[:_LONGEST_KEY]}..."
    return text if text.isprintable() else repr(text)
