"""Whether every function of a package loads, tried before anything is published.

The smoke test sees what runs in the slot; a function that is disabled there, as the timer is, would
show only in production that it cannot be imported.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from deploy.errors import DeployError, NotAsExpected
from deploy.packaging.dependencies import SITE_PACKAGES

_SECONDS: Final = 300
# Searched in the worker's order: the project first, then its libraries.
_LOAD: Final = """
import importlib, sys
name, entry_point, *paths = sys.argv[1:]
sys.path[:0] = paths
getattr(importlib.import_module(name), entry_point)
"""


class _Function(msgspec.Struct, rename="camel"):
    script_file: str = "__init__.py"
    entry_point: str = "main"


class _Example(msgspec.Struct, rename="pascal"):
    values: dict[str, str]


def check_loading(package: Path, settings: Path, libraries: Path | None = None) -> Sequence[str]:
    """Import the entry point of each function folder, each in an interpreter of its own.

    It sees the package and the standard library, and no library of this machine.

    Args:
        package: the zip.
        settings: the ``local.settings.json`` whose values are the app settings.
        libraries: a folder in which libraries are looked for that the package lacks.

    Returns:
        names of the functions.

    Raises:
        DeployError: the zip holds no function, or a file of it cannot be read.
        NotAsExpected: functions do not load; says which, and why.
    """
    try:
        values = msgspec.json.decode(settings.read_bytes(), type=_Example).values
        with (
            tempfile.TemporaryDirectory(prefix="package-") as folder,
            zipfile.ZipFile(package) as archive,
        ):
            archive.extractall(folder)
            return _check(Path(folder), values, libraries)
    except (OSError, zipfile.BadZipFile, msgspec.MsgspecError) as error:
        message = f"{package} cannot be tried with the values of {settings}: {error}"
        raise DeployError(message) from None


def _check(code: Path, values: Mapping[str, str], libraries: Path | None) -> Sequence[str]:
    found = {
        file.parent.name: msgspec.json.decode(file.read_bytes(), type=_Function)
        for file in sorted(code.glob("*/function.json"))
    }
    if not found:
        message = "the package holds no folder with a function.json at its top"
        raise DeployError(message)
    paths = [code, code / SITE_PACKAGES, *([] if libraries is None else [libraries])]
    failures = [
        f"{name}: {failure}"
        for name, function in found.items()
        if (failure := _failure(name, function, paths, values))
    ]
    if failures:
        raise NotAsExpected("functions of the package that do not load", failures)
    return list(found)


def _failure(
    name: str, function: _Function, paths: Sequence[Path], values: Mapping[str, str]
) -> str | None:
    """Return why a function does not load, or None if it does."""
    stem = Path(function.script_file).stem
    module = name if stem == "__init__" else f"{name}.{stem}"
    command = [sys.executable, "-I", "-S", "-c", _LOAD, module, function.entry_point]
    try:
        done = subprocess.run(  # noqa: S603 - the package's own code, as the worker runs it
            [*command, *map(str, paths)],
            env={**os.environ, **values},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"did not load within {_SECONDS} s"
    return None if done.returncode == 0 else _last_line(done.stderr)


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2] or "the interpreter ended without a word"
