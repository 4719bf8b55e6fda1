"""The Terraform of this repository passes every check that needs no registry."""

from pathlib import Path
from shutil import which

import pytest
from delivery_report import Counted
from terraform_trees import SCHEMA, findings

from deploy.__main__ import main
from deploy.infrastructure.formatting import check_format
from deploy.infrastructure.modules import read_modules
from deploy.infrastructure.terraform import check_terraform

ROOT = Path(__file__).parents[2]
GROUP = """\
variable "names" {
  description = "Names."
  type        = map(string)
}

variable "tags" {
  description = "Tags."
  type        = map(string)
}

resource "azurerm_resource_group" "this" {
  name     = var.names.group
  location = var.names.region
  tags     = var.tags
}
"""

_NEEDS_TERRAFORM = pytest.mark.skipif(
    which("terraform") is None, reason="terraform fmt -check: terraform is not installed"
)


def test_terraform_of_this_repository_passes(counted: Counted) -> None:
    verdict = check_terraform(ROOT / "terraform", ROOT, SCHEMA)
    assert [str(each) for each in verdict.findings] == []
    assert verdict.resources >= 40
    assert verdict.arguments >= 500
    counted("resources of Terraform", verdict.resources)
    counted("arguments of Terraform", verdict.arguments)


@_NEEDS_TERRAFORM
def test_terraform_of_this_repository_is_formatted() -> None:
    assert check_format(ROOT / "terraform", ROOT) == []


def test_extract_of_the_schema_holds_what_is_used_and_no_more() -> None:
    modules = read_modules(ROOT / "terraform", ROOT)
    for kind, known in (("resource", SCHEMA.resources), ("data", SCHEMA.data_sources)):
        used = {block.labels[0] for module in modules for block in module.of_kind(kind)}
        assert set(known) == used


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        pytest.param(
            "  tags     = var.tags\n", "", 11, "has no tags: write tags = var.tags", id="no tags"
        ),
        pytest.param(
            "= var.tags", '= { owner = "me" }', 14, "has tags of its own", id="tags of its own"
        ),
        pytest.param(
            "var.names.group", '"rg-mine"', 12, "has a name of its own", id="name of its own"
        ),
        pytest.param(
            "var.names.region", '"westeurope"', 13, "has a location of its own", id="region"
        ),
    ],
)
def test_resource_outside_the_conventions_is_found(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    label = "azurerm_resource_group.this"
    found = findings(tmp_path, group=GROUP.replace(old, new))
    assert any(
        each.startswith(f"terraform/group/main.tf:{line}: {label} {message}") for each in found
    )


def test_resource_within_the_conventions_passes(tmp_path: Path) -> None:
    assert findings(tmp_path, group=GROUP) == []


@_NEEDS_TERRAFORM
def test_what_the_formatter_would_change_is_found(tmp_path: Path) -> None:
    findings(tmp_path, group=GROUP.replace("name     =", "name ="))
    found = check_format(tmp_path / "terraform", tmp_path)
    assert [str(each) for each in found or ()] == [
        "terraform/group/main.tf:12: is not as terraform fmt writes it"
    ]
    assert main(["check-terraform", "--root", str(tmp_path)]) == 1


def test_skipped_format_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    findings(tmp_path, group=GROUP)
    monkeypatch.setenv("PATH", "")
    assert check_format(tmp_path / "terraform", tmp_path) is None
    assert main(["check-terraform", "--root", str(tmp_path)]) == 0
    assert "terraform fmt -check: skipped" in capsys.readouterr().out


def test_findings_end_the_command_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    findings(tmp_path, group=GROUP.replace("  tags     = var.tags\n", ""))
    assert main(["check-terraform", "--root", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "terraform/group/main.tf:11: azurerm_resource_group.this has no tags" in said
    assert "1 modules, 1 resources, 0 data sources, 0 module calls, 2 arguments: " in said
