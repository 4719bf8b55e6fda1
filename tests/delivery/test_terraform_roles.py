"""Who may do what in Azure: all that the code needs, and no more."""

import pytest
from terraform_plans import ENVIRONMENTS, EVERY, FLEX, PREMIUM, Planned, planned, text

STACK = "module.stack"
HUB = f'{STACK}.module.event_hub.azurerm_eventhub.this["payments"]'
SMOKE_HUB = f'{STACK}.module.event_hub.azurerm_eventhub.this["payments-smoke"]'
HOST_STORAGE = f"{STACK}.module.host_storage.azurerm_storage_account.this"
RULES_STORAGE = f"{STACK}.module.rules_storage.azurerm_storage_account.this"
RULES = f'{STACK}.module.rules_storage.azurerm_storage_container.this["compliance-rules"]'
PACKAGES = f'{STACK}.module.package_storage.azurerm_storage_container.this["deployment"]'
VAULT = f"{STACK}.module.key_vault.azurerm_key_vault.this"
INSIGHTS = f'{STACK}.module.monitoring.azurerm_application_insights.this["%s"]'
# learn.microsoft.com, "Azure Functions developer guide", identity-based connections. For a blob
# trigger its table names Storage Account Contributor on the host's storage as well, by which one
# may read the account's keys and open it to the Internet: it is left out here.
OF_THE_HOST = {
    ("Storage Blob Data Owner", HOST_STORAGE),
    ("Storage Queue Data Contributor", HOST_STORAGE),
    ("Storage Table Data Contributor", HOST_STORAGE),
}
OF_THE_FUNCTIONS = OF_THE_HOST | {
    ("Azure Event Hubs Data Receiver", HUB),
    ("Storage Blob Data Owner", RULES),
    ("Storage Queue Data Contributor", RULES_STORAGE),
    ("Monitoring Metrics Publisher", INSIGHTS % "app"),
}
# What one may not be given here at all: they reach beyond data, or hand out rights.
TOO_WIDE = {
    "Contributor",
    "Owner",
    "Role Based Access Control Administrator",
    "Storage Account Contributor",
    "User Access Administrator",
}
every = pytest.mark.parametrize(("environment", "plan"), EVERY)
in_each = pytest.mark.parametrize("environment", ENVIRONMENTS)


@in_each
def test_functions_may_do_what_they_need_on_elastic_premium(environment: str) -> None:
    assert planned(environment, PREMIUM).roles("functions") == OF_THE_FUNCTIONS | {
        ("Storage Blob Data Reader", PACKAGES),
        ("Key Vault Secrets User", VAULT),
    }


@in_each
def test_functions_may_do_what_they_need_on_flex_consumption(environment: str) -> None:
    made = planned(environment, FLEX)
    # The platform deploys as the app's identity, and reads the vault as the one of the app itself.
    assert made.roles("functions") == OF_THE_FUNCTIONS | {
        ("Storage Blob Data Contributor", PACKAGES)
    }
    (reader,) = [
        each
        for each in made.of("role_assignment")
        if each["role_definition_name"] == "Key Vault Secrets User"
    ]
    assert text(reader["principal_id"]).startswith(f"${{{made.app.address}.identity")
    assert made.behind(reader["scope"]).address == VAULT


@in_each
def test_slot_reads_rules_and_its_own_hub_and_changes_nothing_of_production(
    environment: str,
) -> None:
    assert planned(environment, PREMIUM).roles("slot") == OF_THE_HOST | {
        ("Azure Event Hubs Data Receiver", SMOKE_HUB),
        ("Storage Blob Data Reader", RULES),
        ("Storage Blob Data Reader", PACKAGES),
        ("Key Vault Secrets User", VAULT),
        ("Monitoring Metrics Publisher", INSIGHTS % "smoke"),
    }


@every
def test_no_role_reaches_beyond_one_resource(environment: str, plan: str) -> None:
    made = planned(environment, plan)
    for each in made.of("role_assignment"):
        scope = made.behind(each["scope"])
        assert scope.type not in {"azurerm_resource_group", "azurerm_subscription"}, each.address
        assert each["role_definition_name"] not in TOO_WIDE, each.address


@every
def test_migrator_may_do_nothing_in_azure(environment: str, plan: str) -> None:
    assert planned(environment, plan).roles("migrator") == set()


@every
def test_deployer_sends_to_the_smoke_hub_alone(environment: str, plan: str) -> None:
    roles = planned(environment, plan).roles("deployer")
    assert {scope for role, scope in roles if role == "Azure Event Hubs Data Sender"} == {SMOKE_HUB}
    assert ("Storage Blob Data Contributor", PACKAGES) in roles
    assert ("Storage Blob Data Contributor", RULES) in roles


@every
def test_every_role_is_given_to_somebody_known(environment: str, plan: str) -> None:
    made = planned(environment, plan)
    known = sum(len(made.roles(each)) for each in ("functions", "slot", "deployer", "migrator"))
    others = [
        each
        for each in made.of("role_assignment")
        if ".module.identity." not in text(each["principal_id"])
    ]
    assert known + len(others) == len(list(made.of("role_assignment")))
    assert len(others) == _operators(made) + (plan == FLEX)


def _operators(made: Planned) -> int:
    (operators,) = {
        each["principal_id"] for each in made.of("role_assignment") if ".operators[" in each.address
    }
    return sum(each["principal_id"] == operators for each in made.of("role_assignment"))


@every
def test_no_service_takes_keys_but_the_account_of_captured_files(
    environment: str, plan: str
) -> None:
    made = planned(environment, plan)
    assert made.only("eventhub_namespace")["local_authentication_enabled"] is False
    assert made.only("key_vault")["rbac_authorization_enabled"] is True
    (authentication,) = made.only("postgresql_flexible_server")["authentication"]
    assert authentication["password_auth_enabled"] is False
    for account in made.of("storage_account"):
        if ".capture_storage" not in account.address:
            assert account["shared_access_key_enabled"] is False
