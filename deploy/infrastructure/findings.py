"""What a check finds: where, and what is wrong there."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple


class Place(NamedTuple):
    """A line of a file; lines are counted from 1."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file.as_posix()}:{self.line}"


class Finding(NamedTuple):
    """One mistake. Findings sort by file and line."""

    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """Return `` (did you mean x?)`` if a known name is near to the one found, else nothing."""
    near = get_close_matches(found, sorted(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""
