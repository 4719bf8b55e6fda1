"""Shows how recall falls as violations hide better."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from simulator.score.outcome import Score
from simulator.score.wording import share

type Scores = Sequence[tuple[float, Score]]
"""Scores of simulations that differ in one parameter alone, by its value."""


def falling(scores: Scores, parameter: str = "subtlety") -> Table:
    """Return recall over a parameter: of incidents, and of events of which it is not the same.

    Args:
        scores: by the parameter's value.
        parameter: its name.
    """
    ordered = sorted(scores, key=lambda each: each[0])
    table = Table(
        title=f"Recall by {parameter}",
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column("kind", no_wrap=True)
    for value, _ in ordered:
        table.add_column(f"{value:g}", justify="right", no_wrap=True)
    for kind in falling_kinds(ordered):
        table.add_row(kind, *(share(value) for value in recalls(ordered, kind)))
    return table


def falling_kinds(scores: Scores) -> list[str]:
    """Return the kinds to look at: of incidents, and those that are not found equally well."""
    units = {each.kind: each.unit for _, score in scores for each in score.kinds}
    found = []
    for kind, unit in units.items():
        values = {value for value in recalls(scores, kind) if value is not None}
        if values and (unit == "incident" or len(values) > 1):
            found.append(kind)
    return found


def recalls(scores: Scores, kind: str) -> list[float | None]:
    """Return the recall of a kind in each score, None where nothing of it was injected."""
    found = [score.of_kind(kind) for _, score in scores]
    return [None if each is None else each.recall.value for each in found]
