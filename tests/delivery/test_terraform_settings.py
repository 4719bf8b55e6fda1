"""The app settings that the code reads are those that Terraform makes, on both plans."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from delivery_report import Counted
from terraform_plans import EVERY, FLEX, PREMIUM, Made, Planned, planned

from shared_code.app_settings import APP_SETTINGS
from shared_code.settings import load_settings

ROOT = Path(__file__).parents[2]
FUNCTIONS = {
    file.parent.name: json.loads(file.read_text("utf-8"))["bindings"]
    for file in sorted(ROOT.glob("*/function.json"))
}
LOCAL = json.loads((ROOT / "local.settings.json.example").read_text("utf-8"))["Values"]
# By which settings an identity stands for a connection string, for each kind of binding:
# learn.microsoft.com, "Azure Functions developer guide", identity-based connections.
ADDRESSES = {
    "eventHubTrigger": {"fullyQualifiedNamespace"},
    "blobTrigger": {"blobServiceUri", "queueServiceUri"},
    "blob": {"blobServiceUri"},
}
IDENTITY = {"credential", "clientId"}
HOST_STORAGE = {f"AzureWebJobsStorage__{each}" for each in {"accountName", *IDENTITY}}
# In Azure the database is reached with Entra tokens, not by a URL with a password.
ENTRA = {"DATABASE_HOST", "DATABASE_NAME", "DATABASE_USER", "DATABASE_CLIENT_ID"}
# Without a reader of its own, the app looks as itself, in transactions that only read.
OPTIONAL = {"READER_DATABASE_URL", "READER_DATABASE_USER", "READER_DATABASE_CLIENT_ID"}
# Read by the platform, the host, the worker or libpq.
OF_OTHERS = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
    "PGPORT",
    "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY",
    "WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID",
}
# What differs with the code that is swapped, and is what a swap is for.
SWAPPED = {"WEBSITE_RUN_FROM_PACKAGE"}
every = pytest.mark.parametrize(("environment", "plan"), EVERY)


def bindings(*types: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for function, listed in FUNCTIONS.items():
        for binding in listed:
            if not types or binding["type"] in types:
                yield function, binding


def read_by_bindings() -> set[str]:
    """Return the settings that stand for the connections of the bindings."""
    connections = {
        f"{binding['connection']}__{part}"
        for _, binding in bindings(*ADDRESSES)
        for part in ADDRESSES[binding["type"]] | IDENTITY
    }
    filled = {
        name
        for _, binding in bindings()
        for value in binding.values()
        for name in str(value).split("%")[1::2]
    }
    return connections | filled


def disabled(*types: str) -> set[str]:
    return {f"AzureWebJobs.{function}.Disabled" for function, _ in bindings(*types)}


def settings(made: Planned, slot: Made | None = None) -> dict[str, str]:
    return made.settings(slot or made.app)


def resolved(made: dict[str, str]) -> dict[str, str]:
    """Return settings as the worker sees them: what Azure alone knows is filled in."""
    return made | {
        "DATABASE_HOST": "psql.postgres.database.azure.com",
        "DATABASE_CLIENT_ID": "00000000-0000-0000-0000-000000000000",
        "PII_HASH_KEY": "ab" * 32,
    }


@every
def test_app_has_every_setting_that_is_read_and_no_other(
    environment: str, plan: str, counted: Counted
) -> None:
    read_by_code = {each.name for each in APP_SETTINGS} - {"DATABASE_URL"} - OPTIONAL
    needed = read_by_code | read_by_bindings() | HOST_STORAGE
    made = planned(environment, plan)
    found = set(settings(made))
    assert needed - found == set()
    assert found - needed - OF_OTHERS - {"AzureWebJobsStorage"} == set()
    # An empty one keeps the provider from writing a connection string.
    assert settings(made).get("AzureWebJobsStorage", "") == ""
    counted("app settings matched", len(needed))


@every
def test_slot_has_the_settings_of_the_app_and_its_triggers_off(environment: str, plan: str) -> None:
    made = planned(environment, plan)
    slots = list(made.of("linux_function_app_slot"))
    assert len(slots) == (plan == PREMIUM)
    for slot in slots:
        extra = set(settings(made, slot)) ^ set(settings(made))
        assert extra == disabled("timerTrigger", "blobTrigger")
        assert {settings(made, slot)[name] for name in extra} == {"true"}


def test_every_local_setting_has_its_counterpart() -> None:
    found = settings(planned("production", PREMIUM))
    counterparts = {
        "FUNCTIONS_WORKER_RUNTIME": set(),  # made by the provider of the application stack
        "AzureWebJobsStorage": HOST_STORAGE,
        "DATABASE_URL": ENTRA,
        **{
            binding["connection"]: {
                f"{binding['connection']}__{part}" for part in ADDRESSES[binding["type"]]
            }
            for _, binding in bindings(*ADDRESSES)
        },
    }
    for name in LOCAL:
        assert counterparts.get(name, {name}) <= set(found), name


@every
def test_code_loads_what_terraform_makes(environment: str, plan: str) -> None:
    made = planned(environment, plan)
    for app in made.apps():
        found = load_settings(resolved(made.settings(app)))
        assert found.database.entra_authentication
        assert found.retention > timedelta(hours=_longest_retention_of_hubs(made))
        assert found.pii_hash_key == bytes.fromhex("ab" * 32)


def _longest_retention_of_hubs(made: Planned) -> int:
    return max(
        block["retention_time_in_hours"]
        for hub in made.of("eventhub")
        for block in hub["retention_description"]
    )


@every
def test_hub_and_consumer_group_of_the_settings_are_made(environment: str, plan: str) -> None:
    made = planned(environment, plan)
    namespace = made.only("eventhub_namespace")
    groups = {(each["eventhub_name"], each["name"]) for each in made.of("eventhub_consumer_group")}
    hubs = {each["name"] for each in made.of("eventhub")}
    for app in made.apps():
        found = made.settings(app)
        assert found["EventHubConnection__fullyQualifiedNamespace"] == (
            f"{namespace['name']}.servicebus.windows.net"
        )
        assert found["EVENT_HUB_NAME"] in hubs
        assert (found["EVENT_HUB_NAME"], found["EVENT_HUB_CONSUMER_GROUP"]) in groups


@every
def test_rules_container_is_made_in_the_account_of_the_connection(
    environment: str, plan: str
) -> None:
    made = planned(environment, plan)
    (container,) = [
        each
        for each in made.of("storage_container")
        if each["name"] == settings(made)["RULES_CONTAINER"]
    ]
    account = made.behind(container["storage_account_id"])
    for app in made.apps():
        for service in ("blob", "queue"):
            uri = app["app_settings"][f"RulesStorage__{service}ServiceUri"]
            assert uri.name == f"{account.address}.primary_{service}_endpoint"
    assert made.behind(made.only("eventgrid_system_topic")["source_resource_id"]) is account


@every
def test_host_storage_is_made_and_holds_no_rules(environment: str, plan: str) -> None:
    made = planned(environment, plan)
    (account,) = [
        each
        for each in made.of("storage_account")
        if each["name"] == settings(made)["AzureWebJobsStorage__accountName"]
    ]
    held = {
        each["name"]
        for each in made.of("storage_container")
        if made.behind(each["storage_account_id"]) is account
    }
    # Where the Event Hubs trigger keeps its checkpoints, whatever it is told.
    assert held == {"azure-webjobs-eventhub"}


@every
def test_databases_of_the_settings_are_made_on_the_server(environment: str, plan: str) -> None:
    made = planned(environment, plan)
    server = made.only("postgresql_flexible_server")
    databases = {each["name"] for each in made.of("postgresql_flexible_server_database")}
    for app in made.apps():
        assert app["app_settings"]["DATABASE_HOST"].name == f"{server.address}.fqdn"
        assert made.settings(app)["DATABASE_NAME"] in databases


@every
def test_each_app_is_one_identity_for_every_service(environment: str, plan: str) -> None:
    made = planned(environment, plan)
    acting = []
    for app in made.apps():
        found = app["app_settings"]
        (client,) = {
            found[name]
            for name in found
            if name.endswith("__clientId") or name == "DATABASE_CLIENT_ID"
        }
        identity = made.behind(client)
        assert found["DATABASE_USER"] == identity["name"]
        assert client in {each for block in app["identity"] for each in _clients(made, block)}
        acting.append(identity)
    assert len({each.address for each in acting}) == len(acting)


def _clients(made: Planned, block: Made) -> list[Any]:
    return [made.behind(each)["client_id"] for each in block["identity_ids"]]


def test_whatever_differs_in_the_slot_stays_there_when_they_are_swapped() -> None:
    made = planned("production", PREMIUM)
    slot = settings(made, made.only("linux_function_app_slot"))
    app = settings(made)
    differing = {name for name in slot if slot[name] != app.get(name)}
    (sticky,) = made.app["sticky_settings"]
    kept = set(sticky["app_setting_names"])
    assert differing - SWAPPED <= kept
    # The provider makes it of an argument, which differs, too.
    assert kept - differing == {"APPLICATIONINSIGHTS_CONNECTION_STRING"}


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_slot_reads_and_writes_nothing_of_production(environment: str) -> None:
    made = planned(environment, PREMIUM)
    slot = settings(made, made.only("linux_function_app_slot"))
    app = settings(made)
    for name in ("EVENT_HUB_NAME", "DATABASE_NAME", "DATABASE_USER"):
        assert slot[name] != app[name]


@every
def test_key_of_the_hashes_is_named_and_never_read(environment: str, plan: str) -> None:
    made = planned(environment, plan)
    vault = made.only("key_vault")
    for app in made.apps():
        assert made.settings(app)["PII_HASH_KEY"] == (
            f"@Microsoft.KeyVault(SecretUri=${{{vault.address}.vault_uri}}secrets/pii-hash-key)"
        )
    assert not list(made.of("key_vault_secret"))


@every
def test_python_is_that_of_the_project(environment: str, plan: str) -> None:
    made = planned(environment, plan)
    version = (ROOT / ".python-version").read_text("utf-8").strip()
    for app in made.apps():
        if plan == FLEX:
            assert (app["runtime_name"], app["runtime_version"]) == ("python", version)
        else:
            (site,) = app["site_config"]
            assert [stack["python_version"] for stack in site["application_stack"]] == [version]


@every
def test_worker_sends_telemetry_itself_only_if_the_host_leaves_it_to(
    environment: str, plan: str
) -> None:
    host = json.loads((ROOT / "host.json").read_text("utf-8"))
    made = planned(environment, plan)
    opened = host.get("telemetryMode") == "OpenTelemetry"
    for app in made.apps():
        found = made.settings(app)["PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY"]
        assert found == str(opened).lower()
