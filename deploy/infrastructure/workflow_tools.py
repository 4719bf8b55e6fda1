"""Workflows and shell scripts as other programs judge them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import Any, Final

from deploy.infrastructure.errors import ToolFailed
from deploy.infrastructure.findings import Finding, Place
from deploy.infrastructure.workflow_files import Text, Workflow

_SHEBANGS: Final = ("sh", "bash")
_LONGEST_SHEBANG: Final = 100


def check_schema(workflows: Sequence[Workflow], root: Path) -> Iterator[Finding]:
    """Yield where a workflow is none by GitHub's JSON schema.

    Raises:
        ToolFailed: check-jsonschema cannot be run.
    """
    names = [each.file.as_posix() for each in workflows]
    said = _run(
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", "-o", "json", *names],
        root,
    )
    by_name = dict(zip(names, workflows, strict=True))
    for error in said["errors"]:
        workflow = by_name[error["filename"]]
        # What is no job of any kind is none of the last kind tried; the deepest reason says more.
        nearest = error.get("best_deep_match", error)
        line = workflow.line_of(nearest["path"])
        yield Finding(workflow.place(line), f"{nearest['path']}: {nearest['message']}")


def check_security(root: Path) -> Iterator[Finding]:
    """Yield what zizmor finds, without asking GitHub.

    Raises:
        ToolFailed: zizmor cannot be run, or can read no workflow.
    """
    found = _run(["zizmor", "--offline", "--format", "json-v1", ".github/workflows"], root)
    for each in found:
        for location in each["locations"]:
            if location["symbolic"]["kind"] == "Primary":
                file = Path(location["symbolic"]["key"]["Local"]["verbatim_path"])
                line = location["concrete"]["location"]["start_point"]["row"] + 1
                message = f"{each['ident']}: {location['symbolic']['annotation']}"
                yield Finding(Place(file, line), f"{message} ({each['url']})")


def check_shell(
    scripts: Sequence[Path], blocks: Sequence[tuple[Workflow, Text]], root: Path
) -> Iterator[Finding]:
    """Yield what shellcheck finds in scripts, and in what workflows give to the shell.

    Raises:
        ToolFailed: shellcheck cannot be run.
    """
    with TemporaryDirectory() as folder:
        first_lines = {}
        for number, (workflow, script) in enumerate(blocks):
            copy = Path(folder, f"{number}.sh")
            copy.write_text(script.for_shell(), "utf-8")
            first_lines[str(copy)] = workflow.place(script.line)
        for shell, files in ((["--shell=bash"], list(first_lines)), ([], list(map(str, scripts)))):
            if not files:
                continue
            for each in _run(["shellcheck", "--format=json", *shell, *files], root):
                start = first_lines.get(each["file"], Place(Path(each["file"]), 1))
                place = start._replace(line=start.line + each["line"] - 1)
                yield Finding(place, f"SC{each['code']}: {each['message']}")


def shell_scripts(root: Path) -> Sequence[Path]:
    """Return the shell scripts among the committed files, told by ``.sh`` or their first line.

    Raises:
        ToolFailed: the folder is no checkout of git.
    """
    listed = _start(["git", "ls-files", "-z"], root)
    names = [Path(each) for each in listed.split("\0") if each]
    return [each for each in names if each.suffix == ".sh" or _is_shell(root / each)]


def _is_shell(file: Path) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as opened:
        words = opened.readline(_LONGEST_SHEBANG).decode("utf-8", "replace").split()
    return bool(words) and words[0].startswith("#!") and Path(words[-1]).name in _SHEBANGS


def _run(command: Sequence[str], root: Path) -> Any:
    said = _start(command, root)
    try:
        return json.loads(said)
    except json.JSONDecodeError as error:
        raise ToolFailed(command[0], f"said no JSON: {said or error}") from error


def _start(command: Sequence[str], root: Path) -> str:
    """Run a program and return what it wrote; findings and failures end it alike."""
    beside_python = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    program = which(command[0], path=beside_python)
    if program is None:
        raise ToolFailed(command[0], "is not installed; pip install -r requirements-dev.txt")
    done = subprocess.run(  # noqa: S603 - the arguments are this module's and names of files
        [program, *command[1:]], cwd=root, capture_output=True, text=True, check=False
    )
    if not done.stdout and done.returncode:
        raise ToolFailed(command[0], done.stderr.strip())
    return done.stdout
