"""A real package, host, hub and database: what is published is proved, swapped in, taken back."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from deploy_checkouts import ROOT, checkout
from deploy_stage import Stage, deploy_stage

from deploy.__main__ import main
from deploy.packaging.package import build
from deploy.packaging.sources import POLLING
from deploy.targets.target import Place

SOURCE = (ROOT / "ProcessTransaction" / "__init__.py").read_text()
BROKEN = f'{SOURCE}\nraise ImportError("no such library")\n'


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with deploy_stage(tmp_path) as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


def packaged(folder: Path, name: str, changes: dict[str, str] | None = None) -> str:
    output = folder / f"{name}.zip"
    build(checkout(folder / name, changes), output, blob_source=POLLING, cache=folder / "cache")
    return str(output)


@pytest.mark.skipif(os.environ.get("DELIVERY") != "full", reason="takes minutes: DELIVERY=full")
@pytest.mark.timeout(900)
# Hosts outlive the command that starts them, as they have to.
@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
def test_good_code_goes_live_and_bad_code_does_not(
    stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = f"local:{stage.folder}"
    good = packaged(tmp_path, "good")
    for command in (
        ["bootstrap-roles", "--smoke"],
        ["bootstrap-roles"],
        ["migrate", "--smoke"],
        ["migrate"],
        ["publish", "--package", good, "--target", target],
        ["smoke-test", "--target", target, "--seconds", "120"],
        ["swap", "--target", target],
        ["watch", "--target", target, "--minutes", "0.2"],
    ):
        assert main(command) == 0, capsys.readouterr().err
    assert "window counted" in capsys.readouterr().out

    bad = packaged(tmp_path, "bad", {"ProcessTransaction/__init__.py": BROKEN})
    assert main(["publish", "--package", bad, "--target", target]) == 0
    assert main(["smoke-test", "--target", target, "--seconds", "5"]) == 1
    assert "no such library" in capsys.readouterr().err
    assert main(["rollback", "--package", bad, "--target", target]) == 0
    assert "nothing has to be taken back" in capsys.readouterr().out
    assert stage.target.functions(Place.PRODUCTION)

    other = {"host.json": json.dumps(json.loads((ROOT / "host.json").read_bytes()))}
    newer = packaged(tmp_path, "newer", other)
    for command in (
        ["publish", "--package", newer, "--target", target],
        ["swap", "--target", target],
        ["rollback", "--package", newer, "--target", target],
    ):
        assert main(command) == 0, capsys.readouterr().err
    assert "in production again" in capsys.readouterr().out
    assert stage.target.functions(Place.PRODUCTION)
