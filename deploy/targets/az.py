"""Runs Azure's command line: arguments as a list, never by a shell."""

import json
import subprocess
from typing import Any, Final

from deploy.errors import ToolFailed

_PROGRAM: Final = "az"
_SECONDS: Final = 1800


def az(*arguments: str) -> Any:
    """Return what ``az`` answers, from its JSON; None for nothing.

    Raises:
        ToolFailed: it failed, took half an hour, or is not installed.
    """
    command = [_PROGRAM, *arguments, "--only-show-errors", "--output", "json"]
    try:
        done = subprocess.run(  # noqa: S603 - own arguments
            command, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except FileNotFoundError:
        raise ToolFailed(command, "it is not installed", "install the Azure CLI") from None
    except subprocess.TimeoutExpired:
        raise ToolFailed(command, f"no answer within {_SECONDS} s") from None
    if done.returncode:
        raise ToolFailed(command, done.stderr or done.stdout, "see 'az login' and 'az account'")
    return json.loads(done.stdout) if done.stdout.strip() else None
