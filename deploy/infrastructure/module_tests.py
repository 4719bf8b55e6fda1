"""The modules' own tests, run by terraform: ``*.tftest.hcl`` with providers that are mocked.

Terraform needs to know the resources of a provider even to mock it, and so its registry. A module
without providers is tested anywhere.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from shutil import which
from typing import Final

from deploy.infrastructure.errors import ToolFailed

_SECONDS: Final = 900
_COUNT: Final = re.compile(r"(\d+) passed, (\d+) failed")
_INIT: Final = ("init", "-backend=false", "-input=false", "-no-color")
_TEST: Final = ("test", "-no-color")


def folders_with_tests(folder: Path) -> Sequence[Path]:
    """Return the modules below a folder that have tests, relative to it."""
    found = {file.parents[1] for file in folder.rglob("tests/*.tftest.hcl")}
    return sorted(each.relative_to(folder) for each in found)


def run_module_tests(
    folder: Path, modules: Sequence[Path], say: Callable[[str], None]
) -> Sequence[Path]:
    """Run the tests of modules in a copy of all, and return the modules that failed.

    Args:
        folder: holds every module.
        modules: relative to it.
        say: told how each fared, and why it failed.

    Raises:
        ToolFailed: terraform is not installed.
    """
    program = which("terraform")
    if program is None:
        raise ToolFailed("terraform test", "terraform is not installed")
    with tempfile.TemporaryDirectory() as scratch:
        # What init leaves behind belongs to no checkout; one download does for all modules.
        copy = Path(scratch) / folder.name
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(".terraform*"))
        plugins = Path(scratch) / "plugins"
        plugins.mkdir()
        environment = os.environ | {"TF_PLUGIN_CACHE_DIR": str(plugins)}
        return list(_failing(program, copy, modules, environment, say))


def _failing(
    program: str,
    folder: Path,
    modules: Sequence[Path],
    environment: dict[str, str],
    say: Callable[[str], None],
) -> Iterator[Path]:
    for module in modules:
        for arguments in (_INIT, _TEST):
            done = subprocess.run(  # noqa: S603 - fixed arguments
                [program, f"-chdir={folder / module}", *arguments],
                env=environment,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
            if done.returncode:
                said = f"{done.stdout}{done.stderr}".replace(str(folder), folder.name)
                say(f"{module}: terraform {arguments[0]} failed\n{said.strip()}")
                yield module
                break
        else:
            counted = _COUNT.search(done.stdout)
            say(f"{module}: {counted[0] if counted else 'has no tests'}")
