"""A mistake found in a project's files: where, what, and what to write instead."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake.

    Attributes:
        file: path of the file, relative to the project.
        binding: name of the binding at fault, or None when it is not about one.
        found: what stands there.
        remedy: what to do, a sentence.
    """

    file: str
    binding: str | None
    found: str
    remedy: str

    def __str__(self) -> str:
        place = self.file if self.binding is None else f"{self.file}, binding '{self.binding}'"
        return f"{place}: {self.found}. {self.remedy}"


def nearest(found: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """Find the known word that was probably meant, whatever its case; None when none is near."""
    by_folded = {word.casefold(): word for word in sorted(known)}
    near = get_close_matches(found.casefold(), by_folded, n=1, cutoff=likeness)
    return by_folded[near[0]] if near else None


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """Propose the known word nearest to what was found.

    Returns:
        ``Did you mean 'x'? Known: 'x', 'y'.``, or the list alone when nothing is near.
    """
    words = sorted(known)
    near = nearest(found, words)
    listed = f"Known: {', '.join(repr(word) for word in words)}."
    return f"Did you mean '{near}'? {listed}" if near else listed
