"""Whether the files that a command writes are ones that it may write, before it does any work."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from simulator.cli.errors import ArgumentsRefused
from simulator.errors import OutputFailed


def keep_apart(inputs: Iterable[Path], outputs: Mapping[str, Path | None]) -> None:
    """See to it that no output overwrites what is read, or another output.

    Args:
        inputs: what the command reads.
        outputs: what it writes, by option; None where the option is not given.

    Raises:
        ArgumentsRefused: two of them are one file.
    """
    taken = {_place(path): "which is read" for path in inputs}
    for option, path in outputs.items():
        # Terminals, pipes and /dev/null may stand for several of them.
        if path is None or (path.exists() and not path.is_file()):
            continue
        if (use := taken.get(_place(path))) is not None:
            msg = f"{option} would overwrite {path}, {use}; name another file"
            raise ArgumentsRefused(msg)
        taken[_place(path)] = f"which {option} writes"


def require_writable(outputs: Mapping[str, Path | None]) -> None:
    """See to it that what is written at the end of a long work can be written.

    Raises:
        OutputFailed: one cannot.
    """
    for option, path in outputs.items():
        if path is None:
            continue
        reason = None
        if path.exists() and not path.is_file():
            reason = "it is no ordinary file"
        elif not path.parent.is_dir():
            reason = f"there is no folder {path.parent}"
        elif not os.access(path if path.exists() else path.parent, os.W_OK):
            reason = "permission denied"
        if reason is not None:
            msg = f"cannot write {path}: {reason}; name another {option}"
            raise OutputFailed(msg)


def _place(path: Path) -> Path:
    return path.resolve()
