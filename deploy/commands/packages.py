"""``python -m deploy package`` and ``check-package``."""

import argparse
import os
from pathlib import Path
from typing import Final

from deploy.console import say
from deploy.packaging.loading import check_loading
from deploy.packaging.package import build, read_package
from deploy.packaging.sources import EVENT_GRID, POLLING

ROOT: Final = Path(__file__).parents[2]


def add_package(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``package``."""
    parser.description = (
        "Write the zip of a release: the committed files that .funcignore does not exclude, and the"
        " dependencies for Linux x86_64 and Python 3.13. The same commit gives the same bytes. What"
        " is in it is written to FILE.zip.json."
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.zip")
    parser.add_argument(
        "--blob-trigger-source",
        choices=(EVENT_GRID, POLLING),
        default=EVENT_GRID,
        help="how ReloadRules learns of uploads (EventGrid; the other one is for machines"
        " without it)",
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (this one)")
    parser.add_argument(
        "--cache", type=Path, help="keeps installed dependencies (ROOT/.local/cache)"
    )
    parser.set_defaults(run=_package)


def _package(arguments: argparse.Namespace) -> None:
    root: Path = arguments.root
    package = build(
        root,
        arguments.output,
        blob_source=arguments.blob_trigger_source,
        cache=arguments.cache or root / ".local" / "cache",
    )
    note = package.note
    say(
        f"{package.file}: commit {note.commit}, revision {note.revision}, rules"
        f" {note.rules_version}, {len(note.dependencies)} libraries,"
        f" {package.file.stat().st_size:,} bytes"
    )
    say(f"sha256 {note.sha256}")


def add_check_package(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``check-package``."""
    parser.description = (
        "Import the entry point of every function from the package alone, in an interpreter of its"
        " own, with the app settings of local.settings.json.example. Needs Linux x86_64 and Python"
        " 3.13, as the package does."
    )
    parser.add_argument("--package", type=Path, required=True, metavar="FILE.zip")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (this one)")
    parser.add_argument(
        "--libraries",
        type=Path,
        default=os.environ.get("DEPLOY_LIBRARIES") or None,
        metavar="FOLDER",
        help="where to look for what the package lacks, as in rehearsals with packages that hold"
        " few libraries (DEPLOY_LIBRARIES)",
    )
    parser.set_defaults(run=_check_package)


def _check_package(arguments: argparse.Namespace) -> None:
    package = read_package(arguments.package)
    settings = arguments.root / "local.settings.json.example"
    names = check_loading(package.file, settings, arguments.libraries)
    say(f"{package.file}: {len(names)} functions load: {', '.join(names)}")
