"""Draws scores with matplotlib, the same picture for the same numbers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from simulator.errors import OutputFailed
from simulator.score.compare import Scores, falling_kinds, recalls
from simulator.score.errors import ChartFailed
from simulator.score.outcome import KindScore, Score

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# What would differ from run to run: the time, the ids of an SVG's parts, the version.
_METADATA: Final[dict[str, dict[str, Any]]] = {".svg": {"Date": None}, ".png": {"Software": None}}
# Okabe and Ito's colours, which people who see red and green alike can tell apart.
_RECALL: Final = "#0072B2"
_PRECISION: Final = "#E69F00"
_LINES: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKS: Final = ("o", "s", "^", "D", "v")
_BAR: Final = 0.38
_INCHES_OF_KIND: Final = 0.36
_INCHES_BESIDE: Final = 1.5


def chart(score: Score, path: Path) -> None:
    """Draw recall and precision of each kind as bars with their intervals.

    Args:
        score: of a simulation.
        path: where to; its suffix says whether as SVG or PNG.

    Raises:
        ChartFailed: matplotlib is missing, or the suffix is another one.
        OutputFailed: the file cannot be written.
    """
    kinds = score.kinds
    with _drawing(path, (8.0, _INCHES_BESIDE + _INCHES_OF_KIND * max(len(kinds), 1))) as axes:
        _bars(axes, kinds)
        axes.set_title("Recall and precision by kind of violation, with 95 % intervals")


def chart_over(scores: Scores, path: Path, parameter: str = "subtlety") -> None:
    """Draw recall over a parameter, a line for each kind of which ``falling`` tells.

    Args:
        scores: by the parameter's value.
        path: where to; its suffix says whether as SVG or PNG.
        parameter: its name.

    Raises:
        ChartFailed: matplotlib is missing, or the suffix is another one.
        OutputFailed: the file cannot be written.
    """
    ordered = sorted(scores, key=lambda each: each[0])
    with _drawing(path, (8.0, 5.0)) as axes:
        for place, kind in enumerate(falling_kinds(ordered)):
            points = [
                (value, recall)
                for (value, _), recall in zip(ordered, recalls(ordered, kind), strict=True)
                if recall is not None
            ]
            axes.plot(
                [value for value, _ in points],
                [recall for _, recall in points],
                label=kind,
                color=_LINES[place % len(_LINES)],
                marker=_MARKS[place // len(_LINES) % len(_MARKS)],
                linestyle=("-", "--", ":")[place // len(_LINES) % 3],
            )
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel(parameter)
        axes.set_ylabel("recall")
        axes.grid(color="#dddddd")
        axes.set_title(f"Recall by {parameter}")
        if axes.lines:
            axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)


def _bars(axes: "Axes", kinds: Sequence[KindScore]) -> None:
    for name, colour, shift in (
        ("recall", _RECALL, -_BAR / 2),
        ("precision", _PRECISION, _BAR / 2),
    ):
        bars = [
            (place + shift, rate.value, rate.value - rate.low, rate.high - rate.value)
            for place, scored in enumerate(kinds)
            if (rate := getattr(scored, name)).value is not None
        ]
        axes.barh(
            [at for at, _, _, _ in bars],
            [value for _, value, _, _ in bars],
            height=_BAR,
            color=colour,
            label=name,
            xerr=[[below for _, _, below, _ in bars], [above for _, _, _, above in bars]],
            error_kw={"ecolor": "#333333", "elinewidth": 0.8, "capsize": 2},
        )
    axes.set_yticks(range(len(kinds)), [scored.kind for scored in kinds])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.02)
    axes.grid(axis="x", color="#dddddd")
    axes.set_axisbelow(True)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.06), ncols=2, frameon=False)


@contextmanager
def _drawing(path: Path, inches: tuple[float, float]) -> "Iterator[Axes]":
    """Draw within the block, and write the picture at its end."""
    metadata = _METADATA.get(path.suffix.lower())
    if metadata is None:
        msg = f"a chart is written as .svg or .png, not as {path.name!r}"
        raise ChartFailed(msg)
    try:
        # Heavy, and not needed for anything else.
        from matplotlib import rc_context  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        msg = "charts need matplotlib: pip install -r requirements-simulator.txt"
        raise ChartFailed(msg) from error
    with rc_context(
        {
            "svg.hashsalt": "score",
            "svg.fonttype": "path",
            "figure.facecolor": "white",
            "axes.facecolor": "white",
            "font.family": "DejaVu Sans",
            "font.size": 9,
        }
    ):
        figure = Figure(figsize=inches, dpi=120)
        yield figure.add_subplot()
        _write(figure, path, metadata)


def _write(figure: "Figure", path: Path, metadata: dict[str, Any]) -> None:
    try:
        figure.savefig(path, bbox_inches="tight", metadata=metadata)
    except OSError as error:
        msg = f"cannot write the chart to {path}: {error.strerror}"
        raise OutputFailed(msg) from error
