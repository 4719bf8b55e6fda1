"""How a package reaches a function app in Azure; a program stands in for Azure's command line."""

from pathlib import Path

import pytest

from deploy.packaging.package import Package, PackageNote
from deploy.targets.azure import AzureTarget
from deploy.targets.target import AzureAddress, Place

PACKAGE = Package(Path("payments.zip"), PackageNote("ab12", "c0ffee", "0001", "1.0.0", {}))


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file in which each call of ``az`` is a line."""
    file = tmp_path / "calls"
    program = tmp_path / "az"
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {file}\necho \'{{"id": "/sites/app"}}\'\n', "utf-8"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("DeploymentStorage__blobServiceUri", "https://kept.blob.core.windows.net/")
    monkeypatch.setenv("DEPLOYMENT_CONTAINER", "deployment")
    return file


def test_slot_mounts_the_package_where_it_is_kept(calls: Path) -> None:
    AzureTarget(AzureAddress("group", "app", "staging"), "").deploy(PACKAGE, Place.STAGING)
    first, *_, last = calls.read_text("utf-8").splitlines()
    assert first.startswith(
        "functionapp config appsettings set --resource-group group --name app --slot staging"
        " --settings WEBSITE_RUN_FROM_PACKAGE="
        "https://kept.blob.core.windows.net/deployment/releases/app/ab12.zip "
    )
    assert last.startswith("rest --method post --url /sites/app/syncfunctiontriggers?")


def test_app_without_slots_takes_the_package_itself(calls: Path) -> None:
    AzureTarget(AzureAddress("group", "app", None), "").deploy(PACKAGE, Place.PRODUCTION)
    (only,) = calls.read_text("utf-8").splitlines()
    assert only.startswith("functionapp deployment source config-zip ")
    assert " --src payments.zip " in only
