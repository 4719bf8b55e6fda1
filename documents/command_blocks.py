"""The commands that the pages tell people to type."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

# Pages keep commands in indented blocks, and in lists more deeply indented ones.
_COMMAND: Final = re.compile(
    r"^ {4,}((?:[A-Z_]+=\S+ )*(?:python -m|alembic|tox|pip|terraform|az|gh|docker|func)\b.*)$"
)
_COMMENT: Final = re.compile(r"\s+# .*$")


class DocumentedCommand(NamedTuple):
    """One command, and where it stands."""

    page: str
    line: int
    text: str


def documented_commands(root: Path) -> Iterator[DocumentedCommand]:
    """Yield every command of the readme and of all pages, without its comment."""
    for file in [root / "README.md", *sorted((root / "docs").rglob("*.md"))]:
        page = file.relative_to(root).as_posix()
        for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
            if found := _COMMAND.match(line):
                yield DocumentedCommand(page, number, _COMMENT.sub("", found[1]))
