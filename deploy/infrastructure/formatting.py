"""The format of Terraform's files, by terraform itself where it is installed."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from typing import Final

from deploy.infrastructure.errors import ToolFailed
from deploy.infrastructure.findings import Finding, Place

_NOT_FORMATTED: Final = 3
_FILE: Final = re.compile(r"--- old/(.+)")
_HUNK: Final = re.compile(r"@@ -(\d+)")


def check_format(folder: Path, root: Path) -> Sequence[Finding] | None:
    """Return what ``terraform fmt`` would change; None where no terraform is installed.

    Raises:
        ToolFailed: terraform cannot read a file.
    """
    program = which("terraform")
    if program is None:
        return None
    done = subprocess.run(  # noqa: S603 - fixed arguments
        [program, "fmt", "-check", "-recursive", "-diff", str(folder.relative_to(root))],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in {0, _NOT_FORMATTED}:
        raise ToolFailed("terraform fmt", done.stderr.strip())
    return _changes(done.stdout)


def _changes(difference: str) -> Sequence[Finding]:
    """Return the first line of each change in a unified difference."""
    findings = []
    file, line, within = Path(), 0, False
    for text in difference.splitlines():
        if named := _FILE.fullmatch(text):
            file, line, within = Path(named[1]), 0, True
        elif hunk := _HUNK.match(text):
            line, within = int(hunk[1]), False
        elif line and text.startswith(("-", "+")):
            if not within:
                findings.append(Finding(Place(file, line), "is not as terraform fmt writes it"))
            within = True
            line += text.startswith("-")
        else:
            within = False
            line += 1
    return findings
