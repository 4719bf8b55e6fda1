"""``python -m documents``: makes the pages that are made from code, and looks at the diagrams.

Exit codes: 0 all is as it has to be; 1 a page is stale or a diagram cannot be drawn; 2 wrong usage.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from documents.api_reference import api_reference
from documents.configuration import configuration
from documents.data_dictionary import data_dictionary
from documents.diagrams import DiagramError, diagrams, find_browser, install_library, mistakes
from documents.testing_results import testing_results

ROOT: Final = Path(__file__).parents[1]
PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "docs/api.md": api_reference,
    "docs/configuration.md": lambda: configuration(ROOT),
    "docs/data-dictionary.md": data_dictionary,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m documents", description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (_, meaning) in _COMMANDS.items():
        commands.add_parser(name, help=meaning, description=meaning)
    options = parser.parse_args(arguments)
    return _COMMANDS[options.command][0]()


def write() -> int:
    """Write the pages that are made from code."""
    for name, make in PAGES.items():
        (ROOT / name).write_text(make(), "utf-8")
        sys.stdout.write(f"{name} written\n")
    return 0


def check() -> int:
    """Tell which pages differ from what would be written."""
    stale = 0
    for name, make in PAGES.items():
        file = ROOT / name
        if not file.exists() or file.read_text("utf-8") != make():
            stale += 1
            sys.stderr.write(f"{name} is stale: run python -m documents write\n")
    sys.stdout.write(f"{len(PAGES)} pages are made from code, {stale} stale\n")
    return 1 if stale else 0


def look_at_diagrams() -> int:
    """Fetch what draws diagrams, and have each one read where there is a browser."""
    docs = ROOT / "docs"
    drawn = list(diagrams(docs))
    try:
        library = install_library(docs)
        browser = find_browser()
        if browser is None:
            sys.stdout.write(f"{len(drawn)} diagrams NOT LOOKED AT: no chromium here\n")
            return 1 if os.environ.get("CI") else 0
        found = mistakes(drawn, library, browser)
    except DiagramError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    for mistake in found:
        sys.stderr.write(f"{mistake}\n")
    sys.stdout.write(f"{len(drawn)} diagrams looked at, {len(found)} cannot be drawn\n")
    return 1 if found else 0


def results() -> int:
    """Write the page of test results from what the last complete runs left."""
    files = list((ROOT / ".local" / "results").glob("*.xml"))
    if not files:
        sys.stderr.write(".local/results holds no results: run tox first\n")
        return 1
    page = ROOT / "docs" / "testing-results.md"
    page.write_text(testing_results(files), "utf-8")
    sys.stdout.write(f"{len(files)} runs written to {page}\n")
    return 0


_COMMANDS: Final[Mapping[str, tuple[Callable[[], int], str]]] = {
    "write": (write, "write the pages that are made from code"),
    "check": (check, "tell which of them are stale"),
    "results": (results, "write the page of test results from .local/results"),
    "diagrams": (look_at_diagrams, "fetch what draws diagrams, and tell which cannot be drawn"),
}

if __name__ == "__main__":
    sys.exit(main())
