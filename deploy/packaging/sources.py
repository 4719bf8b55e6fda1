"""Which files of the repository belong to a release."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pathspec

from deploy.errors import DeployError, ToolFailed

IGNORE_FILE: Final = ".funcignore"
POLLING: Final = "LogsAndContainerScan"
EVENT_GRID: Final = "EventGrid"


def release_files(root: Path) -> Mapping[str, bytes]:
    """Return the committed files that ``.funcignore`` does not exclude, by their names in the zip.

    What lies about in a working folder without being tracked never gets into a release.

    Raises:
        ToolFailed: git cannot list the files.
        DeployError: there is no ``.funcignore``, or a listed file is missing.
    """
    try:
        ignored = pathspec.GitIgnoreSpec.from_lines((root / IGNORE_FILE).read_text().splitlines())
        listed = git(root, "ls-files", "-z").split("\0")
        kept = sorted(name for name in listed if name and not ignored.match_file(name))
        return {name: (root / name).read_bytes() for name in kept}
    except FileNotFoundError as error:
        message = f"{error.filename} is missing; package a complete checkout"
        raise DeployError(message) from None


def commit_of(root: Path) -> str:
    """Return the commit that is checked out, with ``-dirty`` if tracked files differ from it.

    Raises:
        ToolFailed: there is no commit.
    """
    return git(root, "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty").strip()


def git(root: Path, *arguments: str) -> str:
    """Return what git says.

    Raises:
        ToolFailed: it failed.
    """
    command = ["git", "-C", str(root), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - own arguments
    if done.returncode:
        raise ToolFailed(command, done.stderr, "a release is made from a git checkout")
    return done.stdout


def with_blob_source(files: Mapping[str, bytes], source: str) -> Mapping[str, bytes]:
    """Say in every blob trigger's ``function.json`` how it learns of new blobs.

    The tree itself keeps polling, so that ``func start`` works: Event Grid knows no developer's
    machine.
    """
    changed = dict(files)
    for name, content in files.items():
        if not name.endswith("/function.json"):
            continue
        document: dict[str, Any] = json.loads(content)
        triggers = [each for each in document["bindings"] if each["type"] == "blobTrigger"]
        for trigger in triggers:
            trigger["source"] = source
        if triggers:
            changed[name] = f"{json.dumps(document, indent=2)}\n".encode()
    return changed
