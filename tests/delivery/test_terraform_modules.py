"""The tests of Terraform's modules are run by terraform, where nothing has to be downloaded."""

import shutil
from pathlib import Path
from shutil import which

import pytest

from deploy.__main__ import main

ROOT = Path(__file__).parents[2]
NAMING = "modules/naming"

pytestmark = pytest.mark.skipif(
    which("terraform") is None, reason="terraform test: terraform is not installed"
)


def test_the_tests_of_the_naming_module_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test-terraform", NAMING]) == 0
    assert capsys.readouterr().out == f"{NAMING}: 8 passed, 0 failed\n"
    assert not (ROOT / "terraform" / NAMING / ".terraform").exists()


def test_a_module_that_fails_its_tests_is_told_with_what_terraform_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    naming = tmp_path / "terraform" / NAMING
    shutil.copytree(ROOT / "terraform" / NAMING, naming)
    main_file = naming / "main.tf"
    wrong = main_file.read_text().replace("managed_by", "handled_by")
    assert wrong != main_file.read_text()
    main_file.write_text(wrong)
    assert main(["test-terraform", "--root", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert said.startswith(f"{NAMING}: terraform test failed")
    assert "every_resource_carries_the_mandatory_tags" in said


def test_a_module_without_tests_is_not_taken_for_a_tested_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["test-terraform", "modules/none"]) == 1
    assert "no module with tests below" in capsys.readouterr().out
