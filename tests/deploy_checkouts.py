"""Checkouts of this project for tests of deliveries: committed, and changed as a test likes."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Installed in a moment; the host of the tests has the real ones.
FEW_LIBRARIES = "threadpoolctl==3.8.0\n"
_FUNCTIONS = tuple(sorted(file.parent.name for file in ROOT.glob("*/function.json")))
_KEPT = (
    *(*_FUNCTIONS, "alembic", "rules", "shared_code"),
    *(".funcignore", "alembic.ini", "host.json", "local.settings.json.example", "README.md"),
)


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody who may commit, and return what it says."""
    who = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"]
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def checkout(
    folder: Path, changes: Mapping[str, str] | None = None, requirements: str = FEW_LIBRARIES
) -> Path:
    """Commit what is deployed of this project in a new repository.

    Args:
        folder: of the repository, which is made.
        changes: files that are added or replaced, with their texts.
        requirements: what is deployed with it.
    """
    for name in git(ROOT, "ls-files", "-z", "--", *_KEPT).split("\0"):
        if name and (ROOT / name).is_file():
            write(folder / name, (ROOT / name).read_bytes())
    for name, text in {"requirements.txt": requirements, **(changes or {})}.items():
        write(folder / name, text.encode())
    git(folder, "init", "--quiet")
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--message", "a release")
    return folder


def write(file: Path, content: bytes) -> None:
    """Write a file and the folders it lies in."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
