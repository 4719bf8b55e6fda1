"""The page on scoring shows the table of detectors as it is."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from simulator.score.detectors import ALSO_RAISED_BY, DETECTORS, Signal

PAGE = Path(__file__).parents[4] / "docs/simulator/score.md"


def tables() -> Iterator[str]:
    yield "| kind | counted by | own | others | goal |"
    yield "|---|---|---|---|---|"
    for each in DETECTORS:
        own, others, goal = cell(each.own), cell(each.others), "yes" if each.has_goal else ""
        yield f"| `{each.kind}` | {each.unit} | {own} | {others} | {goal} |"
    yield ""
    yield "| signal | also right for |"
    yield "|---|---|"
    for signal, kinds in ALSO_RAISED_BY.items():
        names = ", ".join(f"`{kind}`" for kind in sorted(kinds))
        yield f"| {signal.source} `{signal.name}` | {names} |"


def cell(signals: Sequence[Signal]) -> str:
    by_source: dict[str, list[str]] = {}
    for signal in signals:
        by_source.setdefault(signal.source, []).append(f"`{signal.name}`")
    return "; ".join(f"{source} {', '.join(names)}" for source, names in by_source.items())


def test_the_page_shows_the_table_of_detectors() -> None:
    expected = "\n".join(tables())
    assert expected in PAGE.read_text("utf-8"), f"put this into {PAGE.name}:\n{expected}"
