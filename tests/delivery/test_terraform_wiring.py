"""Modules say what they take and give, use what they declare, and get what they need."""

from pathlib import Path

import pytest
from terraform_trees import findings

from deploy.infrastructure.errors import FileUnreadable

NETWORK = """\
variable "name" {
  description = "Name of the network."
  type        = string
}

variable "zones" {
  description = "Zones, by name."
  type        = map(object({ label = string }))
  default     = {}
}

locals {
  labels = { for name, zone in var.zones : name => zone.label if name != var.name }
  names  = flatten([for zone in var.zones : [for label in values(zone.names) : label.id]])
}

resource "azurerm_storage_container" "zone" {
  for_each            = local.labels
  name                = "${each.key}-${local.names[each.value.id]}-${var.name}"
  storage_account_id  = each.value
}

output "text" {
  description = "Not plain to see."
  value       = "${var.name}-text"
}

output "zone_ids" {
  description = "Ids of the zones."
  value       = [for zone in azurerm_storage_container.zone : zone.id]
}
"""
PRODUCTION = """\
module "network" {
  source = "../network"
  name   = "payments"
}

output "first_zone" {
  description = "Id of a zone."
  value       = module.network.zone_ids[0]
}
"""


def of(root: Path, network: str = NETWORK, production: str = PRODUCTION) -> list[str]:
    return findings(root, network=network, production=production)


def test_modules_that_hang_together_pass(tmp_path: Path) -> None:
    assert of(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        pytest.param("${var.name}", "${var.nam}", 19, "var.nam is not declared", id="variable"),
        pytest.param("= local.labels", "= local.label", 18, "local.label is not", id="local"),
        pytest.param(
            "in azurerm_storage_container.zone :",
            "in azurerm_storage_container.zones :",
            30,
            "azurerm_storage_container.zones is not declared (did you mean zone?)",
            id="resource",
        ),
        pytest.param(
            "[for zone in azurerm_storage_container.zone : zone.id]",
            "azurerm_storage_container.zone[0].idd",
            30,
            "azurerm_storage_container has no attribute idd (did you mean id?)",
            id="attribute",
        ),
        pytest.param(
            "= local.labels",
            "= data.azurerm_client_config.x.id",
            18,
            "azurerm_client_config.x is not declared",
            id="data source",
        ),
        pytest.param("each.value", "echo.value", 20, "echo.value is not declared", id="anything"),
        pytest.param(
            "= local.labels",
            "= {}\n  tags = { text = <<-END\n    one\n    ${var.other}\n  END\n  }",
            21,
            "var.other is not declared",
            id="variable in a long text",
        ),
        pytest.param("  type        = string\n", "", 1, "variable name has no type", id="no type"),
        pytest.param(
            '  description = "Ids of the zones."\n',
            "",
            28,
            "output zone_ids has no description",
            id="no description",
        ),
        pytest.param(
            '"Name of the network."', '""', 1, "variable name has no description", id="empty text"
        ),
        pytest.param(
            "for_each            = local.labels",
            "for_each            = {}",
            13,
            "local labels is used nowhere in terraform/network",
            id="unused local",
        ),
        pytest.param(
            'variable "zones"',
            'variable "unused" {\n  type = string\n  description = "x"\n  default = ""\n}\n'
            'variable "zones"',
            6,
            "variable unused is used nowhere in terraform/network",
            id="unused variable",
        ),
    ],
)
def test_mistake_within_a_module_is_found(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    assert old in NETWORK
    found = of(tmp_path, network=NETWORK.replace(old, new))
    assert any(each.startswith(f"terraform/network/main.tf:{line}: {message}") for each in found)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        pytest.param(
            '  name   = "payments"\n',
            "",
            1,
            "module network lacks name, for which terraform/network has no default",
            id="argument missing",
        ),
        pytest.param(
            "  name ",
            "  title = 1\n  name ",
            3,
            "terraform/network has no variable title",
            id="extra",
        ),
        pytest.param(
            "zone_ids", "zone_id", 8, "terraform/network has no output zone_id (did", id="output"
        ),
        pytest.param("module.network.", "module.net.", 8, "module net is not called", id="module"),
        pytest.param(
            "../network", "../netwrk", 1, "module network: there is no module in", id="folder"
        ),
        pytest.param(
            "../network", "Azure/network/azurerm", 1, "module network is called from else", id="far"
        ),
    ],
)
def test_mistake_between_modules_is_found(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    assert old in PRODUCTION
    found = of(tmp_path, production=PRODUCTION.replace(old, new))
    assert any(each.startswith(f"terraform/production/main.tf:{line}: {message}") for each in found)


def test_file_that_is_no_hcl_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(
        FileUnreadable, match=r"terraform/network/main\.tf: line 2, column \d+: no HCL"
    ):
        of(tmp_path, network='variable "name" {\n  type = = string\n}\n')


def test_folder_without_terraform_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match=r"terraform: holds no \.tf file"):
        findings(tmp_path)
