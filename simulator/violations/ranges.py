"""Ranges to draw from, which move from plain to see towards ordinary."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from math import floor
from typing import NamedTuple

from simulator.generation.scene import Scene


class Range(NamedTuple):
    """A range at subtlety 0 and, if it differs, at subtlety 1; both ends move in between."""

    plain: tuple[float, float]
    hidden: tuple[float, float] | None = None

    def draw(self, scene: Scene) -> float:
        """Return a number drawn evenly from the range as it is in a scene."""
        hidden = self.hidden or self.plain
        least, most = map(scene.eased, self.plain, hidden)
        return scene.between(least, most)

    def whole(self, scene: Scene) -> int:
        """Return a whole number from the range, rounded at random so that the mean is kept."""
        return floor(self.draw(scene) + scene.random.random())

    def mean(self, subtlety: float) -> float:
        """Return the mean of what is drawn."""
        plain, hidden = sum(self.plain) / 2, sum(self.hidden or self.plain) / 2
        return plain + (hidden - plain) * subtlety


# The last payment lies before the end of the simulation, by this share of what remains of it.
_BEFORE_THE_END = 0.98


def paced(scene: Scene, number: int, gap: Range) -> list[datetime]:
    """Return ascending times from the beginning of a scene on, with gaps in seconds.

    The end of the simulation shrinks all gaps alike.
    """
    gaps = [gap.draw(scene) for _ in range(number - 1)]
    return _at(scene, gaps, timedelta(seconds=sum(gaps)))


def chained(scene: Scene, number: int, within: timedelta) -> list[datetime]:
    """Return ascending times of steps that each wait for the one before, over most of ``within``.

    Unlike ``Scene.times`` no two of them coincide. The end of the simulation shrinks all gaps.
    """
    gaps = [scene.between(0.4, 1.6) for _ in range(number - 1)]
    return _at(scene, gaps, within * scene.between(0.6, 1))


def _at(scene: Scene, gaps: Sequence[float], length: timedelta) -> list[datetime]:
    """Return times whose gaps are in proportion and add up to ``length``, or to what remains."""
    length = min(length, scene.after(scene.remaining, _BEFORE_THE_END) - scene.at)
    total = sum(gaps)
    return [scene.at, *(scene.after(length, passed / total) for passed in accumulate(gaps))]
