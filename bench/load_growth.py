"""Says whether what was sampled stayed flat, and draws it."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

type Points = Sequence[tuple[float, float]]

MOST_GROWTH: Final = 0.05
_CONFIDENCE: Final = 0.95
_INCHES_EACH: Final = 1.5


class Growth(NamedTuple):
    """What the second half of a series did from its beginning to its end, as shares of its level.

    The slope is that of Theil and Sen, the median over all pairs of points, which outliers hardly
    move; times the duration, over the median. Its interval takes points for independent: neighbours
    are not, so that it is too narrow and the verdict is the stricter for it.

    Attributes:
        level: median of the second half.
        share: growth, 0.01 for one percent.
        low: lower bound of its 95 % interval.
        high: upper bound.
    """

    level: float
    share: float
    low: float
    high: float

    @property
    def flat(self) -> bool:
        """Whether growth beyond 5 % is not certain."""
        return self.low <= MOST_GROWTH


def growth(points: Points, floor: float) -> Growth:
    """Return the growth over the second half of a series.

    Args:
        points: seconds and values, in order of time; at least four.
        floor: the least level that a growth is a share of, for series that hover about 0.
    """
    # Heavy, and not needed to sample.
    from scipy.stats import theilslopes  # type: ignore[import-untyped]  # noqa: PLC0415

    middle = (points[0][0] + points[-1][0]) / 2
    half = [point for point in points if point[0] >= middle]
    times, values = zip(*half, strict=True)
    level = statistics.median(values)
    found = theilslopes(values, times, alpha=_CONFIDENCE)
    scale = (times[-1] - times[0]) / max(level, floor)
    return Growth(
        level, *(float(slope) * scale for slope in (found.slope, found.low_slope, found.high_slope))
    )


def draw(series: Mapping[str, Points], title: str, file: Path) -> None:
    """Draw each series on axes of its own, one above the other, over the same minutes."""
    from matplotlib import rc_context  # noqa: PLC0415 - heavy, and not needed to sample
    from matplotlib.figure import Figure  # noqa: PLC0415

    with rc_context({"svg.hashsalt": "load held", "font.size": 8}):
        figure = Figure(
            figsize=(8, _INCHES_EACH * len(series)), layout="constrained", facecolor="white"
        )
        rows = figure.subplots(len(series), sharex=True, squeeze=False)[:, 0]
        for axes, (name, points) in zip(rows, series.items(), strict=True):
            minutes = [seconds / 60 for seconds, _ in points]
            axes.plot(minutes, [value for _, value in points], linewidth=0.8)
            axes.set_title(name, loc="left", fontsize=8)
            axes.set_ylim(bottom=0)
            axes.grid(visible=True, alpha=0.3)
        rows[-1].set_xlabel("minutes")
        figure.suptitle(title, fontsize=9)
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, metadata={"Date": None})
