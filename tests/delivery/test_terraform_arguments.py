"""What the provider would refuse is found without it, with file and line."""

from pathlib import Path

import pytest
from terraform_trees import findings

SUBNET = """\
resource "azurerm_subnet" "functions" {
  name                 = "snet-functions"
  resource_group_name  = "rg-payments"
  virtual_network_name = "vnet-payments"
  address_prefixes     = ["10.0.1.0/24"]
  delegation {
    name = "functions"
    service_delegation {
      name = "Microsoft.App/environments"
    }
  }
}
"""
HUB = """\
resource "azurerm_eventhub" "payments" {
  name            = "payments"
  namespace_id    = "namespace"
  partition_count = 4
  retention_description {
    cleanup_policy          = "Delete"
    retention_time_in_hours = 24
  }
}
"""


def of(root: Path, text: str) -> list[str]:
    return findings(root, network=text)


@pytest.mark.parametrize("text", [SUBNET, HUB], ids=["subnet", "event hub"])
def test_what_the_provider_takes_passes(tmp_path: Path, text: str) -> None:
    assert of(tmp_path, text) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        pytest.param(
            "address_prefixes ",
            "address_prefixs ",
            5,
            "azurerm_subnet has no argument address_prefixs (did you mean address_prefixes?)",
            id="misspelt argument",
        ),
        pytest.param(
            '      name = "Micro',
            '      named = "Micro',
            9,
            "azurerm_subnet.delegation.service_delegation has no argument named"
            " (did you mean name?)",
            id="misspelt argument of a nested block",
        ),
        pytest.param(
            '  virtual_network_name = "vnet-payments"\n',
            "",
            1,
            "azurerm_subnet lacks the required argument virtual_network_name",
            id="missing argument",
        ),
        pytest.param(
            '    name = "functions"\n',
            "",
            6,
            "azurerm_subnet.delegation lacks the required argument name",
            id="missing argument of a nested block",
        ),
        pytest.param(
            '    service_delegation {\n      name = "Microsoft.App/environments"\n    }\n',
            "",
            6,
            "azurerm_subnet.delegation lacks the required block service_delegation",
            id="missing block",
        ),
        pytest.param(
            "  delegation {",
            "  delegations {",
            6,
            "azurerm_subnet has no block delegations (did you mean delegation?)",
            id="misspelt block",
        ),
        pytest.param(
            '    name = "functions"',
            '    name { value = "functions" }',
            7,
            "name of azurerm_subnet.delegation is an argument, not a block: write name = ...",
            id="block for an argument",
        ),
        pytest.param(
            "    service_delegation {",
            "    service_delegation = {",
            8,
            "service_delegation of azurerm_subnet.delegation is a block, not an argument:"
            " write service_delegation { ... }",
            id="argument for a block",
        ),
        pytest.param(
            '["10.0.1.0/24"]',
            '"10.0.1.0/24"',
            5,
            "address_prefixes of azurerm_subnet takes a list, not a string",
            id="text for a list",
        ),
        pytest.param(
            '"vnet-payments"',
            '["vnet-payments"]',
            4,
            "virtual_network_name of azurerm_subnet takes a string, not a list",
            id="list for text",
        ),
        pytest.param(
            "  address_prefixes ",
            '  name = "twice"\n  address_prefixes ',
            5,
            "azurerm_subnet has the argument name more than once",
            id="argument twice",
        ),
    ],
)
def test_finding_names_the_line_and_the_mistake(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    assert old in SUBNET
    assert f"terraform/network/main.tf:{line}: {message}" in of(tmp_path, SUBNET.replace(old, new))


def test_block_of_which_there_is_one_stands_twice(tmp_path: Path) -> None:
    second = HUB.replace(
        "  retention_description {",
        '  retention_description {\n    cleanup_policy = "Delete"\n  }\n  retention_description {',
    )
    assert of(tmp_path, second) == [
        "terraform/network/main.tf:8: azurerm_eventhub takes no second block retention_description"
    ]


def test_unknown_resource_type_says_how_to_add_it(tmp_path: Path) -> None:
    (found,) = of(tmp_path, 'resource "azurerm_subnets" "x" {\n}\n')
    assert found.startswith(
        "terraform/network/main.tf:1: the extract of azurerm 4.55.0 has no resource azurerm_subnets"
        " (did you mean azurerm_subnet?); if it is right, extract the schema anew: pip download"
    )
    assert "python -m deploy extract-terraform-schema --wheel" in found


def test_dynamic_block_is_checked_like_a_written_one(tmp_path: Path) -> None:
    dynamic = SUBNET.replace(
        "  delegation {\n",
        '  dynamic "delegation" {\n    for_each = ["one"]\n    content {\n',
    ).replace("  }\n}\n", "  }\n  }\n}\n")
    assert of(tmp_path, dynamic) == []
    assert of(tmp_path, dynamic.replace('    name = "functions"', '    nam = "functions"')) == [
        "terraform/network/main.tf:8: azurerm_subnet.delegation lacks the required argument name",
        (
            "terraform/network/main.tf:9: azurerm_subnet.delegation has no argument nam"
            " (did you mean name?)"
        ),
    ]


def test_arguments_of_terraform_itself_pass_on_a_resource_alone(tmp_path: Path) -> None:
    meta = "  count = 1\n  lifecycle {\n    prevent_destroy = true\n  }\n"
    assert of(tmp_path, SUBNET.replace("  name    ", f"{meta}  name    ", 1)) == []
    assert "azurerm_subnet.delegation has no argument count" in str(
        of(tmp_path, SUBNET.replace("  delegation {\n", "  delegation {\n    count = 1\n"))
    )


def test_what_only_the_provider_sets_is_no_argument(tmp_path: Path) -> None:
    account = """\
data "azurerm_client_config" "current" {
  tenant_id = "mine"
}
"""
    assert of(tmp_path, account) == [
        (
            "terraform/network/main.tf:2: tenant_id of azurerm_client_config is set by the provider"
            " alone"
        )
    ]


def test_configuration_of_the_provider_is_checked(tmp_path: Path) -> None:
    provider = 'provider "azurerm" {\n  use_oid = true\n  features {}\n}\n'
    assert of(tmp_path, provider) == [
        "terraform/network/main.tf:2: azurerm has no argument use_oid (did you mean use_oidc?)"
    ]
