"""``python -m documents``: writes the pages that are made from code, or tells which are stale."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from documents.configuration import configuration
from documents.data_dictionary import data_dictionary

ROOT: Final = Path(__file__).parents[1]
PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "docs/configuration.md": lambda: configuration(ROOT),
    "docs/data-dictionary.md": data_dictionary,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages; with ``check`` exit code 1 if one differs from what would be written."""
    parser = argparse.ArgumentParser(prog="python -m documents", description=__doc__)
    parser.add_argument("what", choices=["write", "check"])
    options = parser.parse_args(arguments)
    stale = 0
    for name, make in PAGES.items():
        file = ROOT / name
        page = make()
        same = file.exists() and file.read_text("utf-8") == page
        if options.what == "write":
            file.write_text(page, "utf-8")
        elif not same:
            stale += 1
            sys.stderr.write(f"{name} is stale: run python -m documents write\n")
        sys.stdout.write(f"{name}: {'as it was' if same else 'changed'}\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
