"""Holds a score against what was hoped for."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from simulator.score.outcome import KindScore, Score
from simulator.score.rates import Rate


class Goal(NamedTuple):
    """The least that is good enough, of each kind of violation; None of what does not count."""

    recall: float | None = None
    precision: float | None = None


def shortfalls(score: Score, goal: Goal, kinds: Collection[str] = ()) -> list[str]:
    """Return a line for each kind that misses a goal; none if all is well.

    Args:
        score: of a simulation.
        goal: for each kind.
        kinds: that the goal is for, and that have to be there; all that are there if empty.
    """
    scored = [each for each in score.kinds if not kinds or each.kind in kinds]
    absent = set(kinds) - {each.kind for each in scored if each.recall.whole}
    lines = [f"{kind}: nothing was injected" for kind in sorted(absent)]
    return lines + [line for each in scored for line in _of_kind(each, goal)]


def _of_kind(scored: KindScore, goal: Goal) -> Iterator[str]:
    for name, found, least in (
        ("recall", scored.recall, goal.recall),
        ("precision", scored.precision, goal.precision),
    ):
        if least is not None and found.value is not None and found.value < least:
            yield f"{scored.kind}: {name} {_shown(found)} is below {least:g}"


def _shown(found: Rate) -> str:
    return f"{found.value:.3f} ({found.part} of {found.whole})"
