"""An environment of its own for Bytewax, which has no wheel for the product's Python."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from bench.throwaway import ROOT

PACKAGES: Final = ("bytewax==0.21.1", "msgspec==0.22.0")
_VERSIONS: Final = ("3.12", "3.11")


def bytewax_python() -> Path | None:
    """Return a Python that has Bytewax, installed where it is not yet; None if there is none.

    Raises:
        subprocess.CalledProcessError: it could not be installed.
    """
    found = _older_python()
    if found is None:
        return None
    folder = ROOT / ".local" / "bytewax"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([str(found), "-m", "venv", str(folder)], check=True)
    subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES],
        check=True,
    )
    return python


def _older_python() -> Path | None:
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for version in _VERSIONS:
        for python in sorted(pyenv.glob(f"{version}.*/bin/python")):
            return python
        if on_path := shutil.which(f"python{version}"):
            return Path(on_path)
    return None
