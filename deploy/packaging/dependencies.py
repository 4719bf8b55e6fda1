"""The libraries of a release, installed for Azure's machines whatever machine builds it."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Final

from deploy.errors import ToolFailed

PYTHON_VERSION: Final = "3.13"
SITE_PACKAGES: Final = ".python_packages/lib/site-packages"
# The functions' image has glibc 2.36; pip takes each platform tag that it is told, and no older one
# by itself.
_PLATFORMS: Final = (
    *(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)),
    "manylinux2014_x86_64",
    "manylinux2010_x86_64",
    "manylinux1_x86_64",
    "linux_x86_64",
)
# What tells how and where pip installed, which differs from run to run and helps nobody in Azure.
_INSTALLERS_NOTES: Final = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})
_INPUTS: Final = ("requirements.txt", "constraints.txt")


def installed(root: Path, cache: Path) -> Path:
    """Return a folder with the dependencies of ``requirements.txt``; install them unless cached.

    Args:
        root: holds the pinned requirements.
        cache: keeps one folder for each content of them.

    Raises:
        ToolFailed: pip failed, for example since a library has no wheel for the platform.
    """
    wanted = hashlib.sha256("\0".join([PYTHON_VERSION, *_PLATFORMS]).encode())
    for name in _INPUTS:
        if (root / name).exists():
            wanted.update((root / name).read_bytes())
    folder = cache / f"dependencies-{wanted.hexdigest()[:16]}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        # Two builds may install at once: each into a folder of its own, and the last one stays.
        unfinished = Path(tempfile.mkdtemp(dir=cache, prefix="installing-"))
        try:
            _install(root / _INPUTS[0], unfinished)
            if not folder.exists():
                unfinished.rename(folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _install(requirements: Path, folder: Path) -> None:
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--no-compile"),
        *("--target", str(folder), "--implementation", "cp", "--python-version", PYTHON_VERSION),
        "--only-binary=:all:",
        *(argument for platform in _PLATFORMS for argument in ("--platform", platform)),
        *("--requirement", str(requirements)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - own arguments
    if done.returncode:
        advice = "every requirement needs a wheel for Linux x86_64 and this Python"
        raise ToolFailed(["pip", "install"], done.stderr, advice)


def dependency_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield each installed file that a release needs with its name in the zip, in order of names.

    Scripts are left out: they name the Python that installed them.
    """
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder)
        if not file.is_file() or name.parts[0] == "bin" or file.suffix == ".pyc":
            continue
        if file.parent.suffix == ".dist-info" and file.name in _INSTALLERS_NOTES:
            continue
        yield f"{SITE_PACKAGES}/{name.as_posix()}", file


def versions(folder: Path) -> Mapping[str, str]:
    """Return name and version of each installed library, by name."""
    paths: Sequence[str] = [str(folder)]
    found = {each.name: each.version for each in distributions(path=list(paths))}
    return dict(sorted(found.items(), key=lambda each: each[0].lower()))
