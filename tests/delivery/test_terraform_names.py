"""Every name fits into what Azure takes, every resource carries the tags, every value is told."""

import re
from collections import Counter

import pytest
from terraform_plans import EVERY, PREMIUM, planned, values_of
from terraform_trees import SCHEMA

TAGS = {"cost_center", "data_classification", "environment", "managed_by", "owner", "workload"}
# learn.microsoft.com, "Naming rules and restrictions for Azure resources".
RULES = {
    "azurerm_storage_account": r"[a-z0-9]{3,24}",
    "azurerm_storage_container": r"(?=.{3,63}\Z)[a-z0-9]+(-[a-z0-9]+)*",
    "azurerm_key_vault": r"(?=.{3,24}\Z)[a-z][a-z0-9]*(-[a-z0-9]+)*",
    "azurerm_postgresql_flexible_server": r"(?=.{3,63}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?",
    "azurerm_eventhub_namespace": r"(?=.{6,50}\Z)[a-z]([a-z0-9-]*[a-z0-9])?",
    # The host takes the first 32 characters for its id: two apps with one id on one storage account
    # take each other's locks.
    "azurerm_linux_function_app": r"(?=.{2,32}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?",
    "azurerm_function_app_flex_consumption": r"(?=.{2,32}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?",
}
# Unique in all of Azure, since each is part of a host name.
IN_ALL_OF_AZURE = set(RULES) - {"azurerm_storage_container"}
every = pytest.mark.parametrize(("environment", "plan"), EVERY)


@every
def test_every_expression_has_a_value(environment: str, plan: str) -> None:
    made = planned(environment, plan)
    assert sum(len(values_of(each)) for each in made.made) > 500
    assert list(made.run.refusals()) == []
    for name in made.run.outputs:
        made.run.outputs[name]


@every
def test_what_is_required_is_not_null(environment: str, plan: str) -> None:
    for each in planned(environment, plan).made:
        for name, kind in SCHEMA.resources[each.type].arguments.items():
            if kind.endswith("!"):
                assert each[name] is not None, f"{each.address}.{name}"


@every
def test_every_resource_that_takes_tags_carries_all_of_them(environment: str, plan: str) -> None:
    for each in planned(environment, plan).made:
        if "tags" in SCHEMA.resources[each.type].arguments:
            assert set(each["tags"]) == TAGS, each.address
            assert each["tags"]["environment"] == environment


@every
def test_names_are_such_as_azure_takes(environment: str, plan: str) -> None:
    checked = Counter(
        each.type
        for each in planned(environment, plan).made
        if each.type in RULES and re.fullmatch(RULES[each.type], each["name"])
    )
    found = Counter(each.type for each in planned(environment, plan).made if each.type in RULES)
    assert checked == found
    assert found["azurerm_storage_account"] >= 3


def test_environments_share_no_name_that_is_unique_in_azure() -> None:
    names = Counter(
        each["name"]
        for environment, plan in EVERY
        if plan == PREMIUM
        for each in planned(environment, plan).made
        if each.type in IN_ALL_OF_AZURE
    )
    assert [name for name, times in names.items() if times > 1] == []


def test_slot_has_another_host_id_than_the_app() -> None:
    made = planned("production", PREMIUM)
    slot = f"{made.app['name']}-{made.only('linux_function_app_slot')['name']}"
    assert slot[:32] != made.app["name"]
