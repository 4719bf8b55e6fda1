"""Publish, swap and roll back: what changes where, and how it is noted for the way back."""

import tempfile
from pathlib import Path

from deploy.errors import DeployError
from deploy.packaging.package import Package
from deploy.targets.shelf import Releases, Shelf
from deploy.targets.target import Place, Target


def publish(target: Target, shelf: Shelf, package: Package) -> str:
    """Deploy a package to staging, or to production where there is no staging; return what is done.

    The package is kept. What is about to be tried is noted first, so that a way back is known
    whenever this is interrupted.

    Raises:
        DeployError: it could not be deployed, or kept.
    """
    shelf.keep(package)
    before = shelf.releases()
    new = package.note.sha256
    shelf.note(Releases(before.production, new, before.previous))
    if target.has_slot:
        target.deploy(package, Place.STAGING)
        return f"{_short(new)} is in staging"
    target.deploy(package, Place.PRODUCTION)
    previous = before.previous if before.production == new else before.production
    shelf.note(Releases(new, None, previous))
    return f"{_short(new)} is in production"


def swap(target: Target, shelf: Shelf) -> str:
    """Exchange staging and production; return what is done: nothing where there is no staging.

    Raises:
        DeployError: nothing is in staging, or the target could not.
    """
    if not target.has_slot:
        return "there is no staging slot: what was published is in production already"
    before = shelf.releases()
    if before.staging is None:
        raise DeployError("nothing was published to staging; run 'python -m deploy publish'")
    target.exchange()
    same = before.production == before.staging
    previous = before.previous if same else before.production
    shelf.note(Releases(before.staging, before.production, previous))
    return f"{_short(before.staging)} is in production"


def roll_back(target: Target, shelf: Shelf) -> str:
    """Bring back to production what ran there before; return what is done.

    The schema stays as it is: the release before runs on it.

    Raises:
        DeployError: there was nothing before, or the target could not.
    """
    now = shelf.releases()
    if not target.has_slot and now.staging is not None:
        # A publication was cut short; what ran is still noted as production.
        return _deploy_kept(target, shelf, now.production, now.previous)
    if now.previous is None:
        raise DeployError("no release ran before the one in production: there is no way back")
    if not target.has_slot:
        return _deploy_kept(target, shelf, now.previous, None)
    if now.staging != now.previous:
        # Something else was published meanwhile.
        with tempfile.TemporaryDirectory() as folder:
            target.deploy(shelf.fetch(now.previous, Path(folder)), Place.STAGING)
        shelf.note(Releases(now.production, now.previous, now.previous))
    target.exchange()
    shelf.note(Releases(now.previous, now.production, None))
    return f"{_short(now.previous)} is in production again"


def take_back(target: Target, shelf: Shelf, package: Package) -> str:
    """Roll one release back if it has come as far as production; return what is done.

    Raises:
        DeployError: there was nothing before, or the target could not.
    """
    now, sha256 = shelf.releases(), package.note.sha256
    half_way = not target.has_slot and now.staging == sha256
    if now.production != sha256 and not half_way:
        return f"{_short(sha256)} has not come to production: nothing has to be taken back"
    return roll_back(target, shelf)


def _deploy_kept(target: Target, shelf: Shelf, sha256: str | None, before: str | None) -> str:
    if sha256 is None:
        raise DeployError("no release was ever finished: there is no way back")
    with tempfile.TemporaryDirectory() as folder:
        target.deploy(shelf.fetch(sha256, Path(folder)), Place.PRODUCTION)
    shelf.note(Releases(sha256, None, before))
    return f"{_short(sha256)} is in production again"


def _short(sha256: str) -> str:
    return f"package {sha256[:12]}"
