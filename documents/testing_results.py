"""The page of test results, from what pytest wrote of its last complete runs."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from documents.markdown import table

_HEAD = """\
# Testing results

Made by `python -m documents results` of what the last complete runs wrote to `.local/results`.
How to run them: [testing procedures](testing-procedures.md).
"""


class Counts(NamedTuple):
    """Tests by what became of them, and the seconds they took together."""

    tests: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0


def _sum(counts: Iterable[Counts]) -> Counts:
    tests, failed, skipped, seconds = zip(*counts, strict=True)
    return Counts(sum(tests), sum(failed), sum(skipped), sum(seconds))


def testing_results(files: Iterable[Path]) -> str:
    """Return the page as Markdown.

    Args:
        files: JUnit XML, one of each run, named for it.

    Raises:
        ParseError: a file is no XML.
    """
    return "\n".join(_lines(sorted(files)))


def _lines(files: Iterable[Path]) -> Iterator[str]:
    yield _HEAD
    for file in files:
        root = ET.parse(file).getroot()  # noqa: S314 - written by pytest here
        suite = next(root.iter("testsuite"))
        by_folder = _by_folder(root)
        whole = _sum(by_folder.values())
        yield f"## `tox run -e {file.stem}`"
        yield ""
        yield (
            f"Begun {suite.get('timestamp', '')[:16].replace('T', ' ')}, wall time"
            f" {float(suite.get('time', '0')):,.0f} s."
        )
        yield ""
        yield from table(
            ["folder", "tests", "passed", "skipped", "failed", "seconds of tests"],
            (_row(name, counts) for name, counts in [*sorted(by_folder.items()), ("all", whole)]),
        )
        yield ""
        yield from _skipped(root)


def _row(name: str, counts: Counts) -> list[str]:
    passed = counts.tests - counts.failed - counts.skipped
    numbers = (counts.tests, passed, counts.skipped, counts.failed, round(counts.seconds))
    return [f"`{name}`", *(f"{number:,}" for number in numbers)]


def _by_folder(root: ET.Element) -> dict[str, Counts]:
    found: dict[str, list[Counts]] = defaultdict(list)
    for case in root.iter("testcase"):
        failed = case.find("failure") is not None or case.find("error") is not None
        skipped = case.find("skipped") is not None
        folder = "/".join(case.get("classname", "").split(".")[:2])
        seconds = float(case.get("time", "0"))
        found[folder].append(Counts(1, int(failed), int(skipped), seconds))
    return {folder: _sum(counts) for folder, counts in found.items()}


def _skipped(root: ET.Element) -> Iterator[str]:
    reasons: dict[str, int] = defaultdict(int)
    for skipped in root.iter("skipped"):
        reasons[skipped.get("message", "")] += 1
    if reasons:
        yield (
            "Skipped: "
            + "; ".join(f"{count} because: {reason}" for reason, count in sorted(reasons.items()))
            + "."
        )
        yield ""
