"""What is written to GitHub, by its own command line: ``gh`` of the runner.

``GH_TOKEN`` and ``GH_REPO`` are its settings.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.errors import ToolFailed

_LABEL: Final = "drift"


def comment_on(pull_request: int, body: str) -> None:
    """Write the one comment of this workflow on a pull request, in place of the one before.

    Raises:
        ToolFailed: gh is not there, or GitHub refused.
    """
    once = ("--edit-last", "--create-if-none")
    _gh("pr", "comment", str(pull_request), *once, "--body-file", "-", given=body)


def open_drifts() -> Mapping[str, int]:
    """Return the numbers of the open issues about drift, by title.

    Raises:
        ToolFailed: gh is not there, or GitHub refused.
    """
    wanted = ("--label", _LABEL, "--state", "open", "--limit", "100", "--json", "number,title")
    return {issue["title"]: issue["number"] for issue in json.loads(_gh("issue", "list", *wanted))}


def report_drift(title: str, body: str, known: int | None) -> None:
    """Open an issue, or bring the one that is open up to date.

    Raises:
        ToolFailed: gh is not there, or GitHub refused.
    """
    if known is not None:
        _gh("issue", "edit", str(known), "--body-file", "-", given=body)
        return
    _gh("label", "create", _LABEL, "--force", "--description", "not what the code says")
    _gh("issue", "create", "--title", title, "--label", _LABEL, "--body-file", "-", given=body)


def close_drift(known: int) -> None:
    """Close an issue about drift that is no more.

    Raises:
        ToolFailed: gh is not there, or GitHub refused.
    """
    _gh("issue", "close", str(known), "--comment", "Nothing differs any more.")


def tell_job(summary: str, **outputs: str) -> None:
    """Add to the summary of the job, which who approves the next one reads, and to its outputs.

    Outside of a job nothing is written.
    """
    _add("GITHUB_STEP_SUMMARY", summary)
    for name, value in outputs.items():
        _add("GITHUB_OUTPUT", f"{name}={value}")


def _add(variable: str, line: str) -> None:
    if file := os.environ.get(variable):
        with Path(file).open("a", encoding="utf-8") as stream:
            stream.write(f"{line}\n")


def _gh(*arguments: str, given: str | None = None) -> str:
    command = ("gh", *arguments)
    try:
        done = subprocess.run(  # noqa: S603 - own arguments
            command, check=False, capture_output=True, text=True, input=given
        )
    except FileNotFoundError as error:
        raise ToolFailed(command, "gh is not installed") from error
    if done.returncode:
        raise ToolFailed(command, done.stderr)
    return done.stdout
