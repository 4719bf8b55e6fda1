import json
import os
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from azure.eventhub import EventData, EventHubConsumerClient, EventHubProducerClient
from azure.storage.blob import BlobServiceClient
from local_services import CACHE

from local_azure.config import LocalAzureConfig, Part, parse_config
from local_azure.environment import LocalAzure, PartMissing
from local_azure.services.errors import FolderInUse, PortTaken, ServiceError, ServiceFailed

PARTS: Mapping[str, object] = {
    "event_hubs": {"hubs": {"orders": {"partitions": 1}}},
    "blob_storage": {"containers": ["shelf"]},
    "postgresql": {"database": "shop"},
    "functions": {"project": "app", "port": 0},
    "settings": {
        "AzureWebJobsStorage": "{blob_storage}",
        "EventHubConnection": "{event_hubs}",
        "DATABASE_URL": "{postgresql}",
        "PLAIN": "as it is",
    },
    "prepare": [["make_table", "stock"]],
}
SHOW_SETTING = """
import os
import azure.functions as func

def main(req: func.HttpRequest) -> str:
    return os.environ[req.params["name"]]
"""
MAKE_TABLE = """
import os, sys
import psycopg2
connection = psycopg2.connect(os.environ["DATABASE_URL"])
with connection, connection.cursor() as cursor:
    cursor.execute("CREATE TABLE " + sys.argv[1] + " (n integer)")
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> LocalAzureConfig:
    root = tmp_path_factory.mktemp("environment")
    function = root / "app" / "ShowSetting"
    function.mkdir(parents=True)
    (root / "app" / "host.json").write_text('{"version": "2.0"}')
    (root / "app" / "make_table.py").write_text(MAKE_TABLE)
    (function / "__init__.py").write_text(SHOW_SETTING)
    bindings = [
        {"type": "httpTrigger", "direction": "in", "name": "req", "authLevel": "anonymous"},
        {"type": "http", "direction": "out", "name": "$return"},
    ]
    (function / "function.json").write_text(
        json.dumps({"scriptFile": "__init__.py", "bindings": bindings})
    )
    return parse_config({**PARTS, "cache_folder": str(CACHE)}, root)


@pytest.fixture
def local(config: LocalAzureConfig) -> Iterator[LocalAzure]:
    with LocalAzure(config) as started:
        yield started


def setting_seen_by_function(local: LocalAzure, name: str) -> str:
    with urllib.request.urlopen(f"{local.host.url}/api/ShowSetting?name={name}") as answer:
        return str(answer.read().decode())


def tables(url: str) -> list[str]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_stat_user_tables")
        return [name for (name,) in cursor.fetchall()]


def test_everything_starts_serves_fails_recovers_and_ends(local: LocalAzure) -> None:
    settings = local.settings
    assert set(settings) == {"AzureWebJobsStorage", "EventHubConnection", "DATABASE_URL", "PLAIN"}
    assert settings["PLAIN"] == "as it is"
    with BlobServiceClient.from_connection_string(settings["AzureWebJobsStorage"]) as storage:
        assert "shelf" in [container.name for container in storage.list_containers()]
    with EventHubProducerClient.from_connection_string(
        settings["EventHubConnection"], eventhub_name="orders"
    ) as producer:
        producer.send_batch([EventData(b"one")])

    url = local.start_host({"EXTRA": "more"})
    assert tables(settings["DATABASE_URL"]) == ["stock"]
    assert setting_seen_by_function(local, "DATABASE_URL") == settings["DATABASE_URL"]
    assert setting_seen_by_function(local, "EXTRA") == "more"

    local.kill_host()
    assert not local.host.running
    assert local.start_host() == url
    assert setting_seen_by_function(local, "PLAIN") == "as it is"

    local.postgresql.stop()
    with pytest.raises(psycopg2.OperationalError):
        tables(settings["DATABASE_URL"])
    local.postgresql.start()
    assert tables(settings["DATABASE_URL"]) == ["stock"]

    local.event_hubs.kill()
    local.event_hubs.start()
    local.blob_storage.stop()
    local.blob_storage.start()
    assert local.settings == settings
    with EventHubConsumerClient.from_connection_string(
        settings["EventHubConnection"], "$Default", eventhub_name="orders"
    ) as consumer:
        assert consumer.get_partition_properties("0")["last_enqueued_sequence_number"] == 0

    local.stop_host()
    local.stop()
    assert [service.running for service in local.services.values()] == [False] * 3
    assert not (local.folder / "local.settings.json").exists()


def test_two_starts_on_one_folder_are_refused_and_on_two_folders_work(
    config: LocalAzureConfig, tmp_path: Path
) -> None:
    only = [Part.POSTGRESQL]
    with LocalAzure(config, only=only) as first:
        with pytest.raises(FolderInUse, match=f"in use by process {os.getpid()}"):
            LocalAzure(config, only=only).start()
        assert tables(first.settings["DATABASE_URL"]) == ["stock"]
        other = parse_config({"postgresql": {}, "settings": {"X": "{postgresql}"}}, tmp_path)
        with LocalAzure(other) as second:
            assert tables(second.settings["X"]) == []


def test_parts_left_out_have_neither_address_nor_settings(
    config: LocalAzureConfig,
) -> None:
    with LocalAzure(
        config.with_connection(Part.EVENT_HUBS, "Endpoint=sb://there/"), only=[]
    ) as local:
        assert local.services == {}
        assert local.settings == {
            "EventHubConnection": "Endpoint=sb://there/",
            "PLAIN": "as it is",
        }
        with pytest.raises(PartMissing, match="postgresql does not run here"):
            _ = local.postgresql
        with pytest.raises(PartMissing, match="blob_storage does not run here"):
            _ = local.blob_storage
        with pytest.raises(PartMissing, match="event_hubs does not run here") as caught:
            _ = local.event_hubs
        assert caught.value.part is Part.EVENT_HUBS
        with pytest.raises(ServiceError, match="no address before its first start"):
            _ = local.host.url


def test_one_part_that_cannot_start_stops_the_others(tmp_path: Path) -> None:
    with LocalAzure(parse_config({"postgresql": {}}, tmp_path / "holder")) as holder:
        config = parse_config(
            {
                "event_hubs": PARTS["event_hubs"],
                "postgresql": {"port": holder.postgresql.port},
            },
            tmp_path / "victim",
        )
        victim = LocalAzure(config)
        with pytest.raises(PortTaken, match=f"port {holder.postgresql.port}"):
            victim.start()
    assert not victim.event_hubs.running
    with LocalAzure(config, only=[Part.EVENT_HUBS]) as later:
        assert later.event_hubs.running


def test_a_failing_preparation_is_told_in_its_own_words(
    config: LocalAzureConfig, local: LocalAzure
) -> None:
    broken = LocalAzure(
        parse_config({**PARTS, "prepare": [["no_such_module"]]}, config.data_folder.parent)
    )
    with pytest.raises(ServiceFailed, match=r"(?s)no_such_module: ended.*No module named"):
        broken.start_host(local.settings)


def test_a_host_that_finds_mistakes_shows_them_and_can_be_started_again(
    local: LocalAzure,
) -> None:
    file = local.host.log.parents[2] / "app" / "ShowSetting" / "function.json"
    right = file.read_text()
    local.postgresql.ensure_database("shop")
    with closing(psycopg2.connect(local.settings["DATABASE_URL"])) as connection, connection:
        connection.cursor().execute("DROP TABLE IF EXISTS stock")
    file.write_text(right.replace("httpTrigger", "httpTriger"))
    try:
        with pytest.raises(ServiceFailed, match=r"(?s)Functions host: ended .*httpTriger"):
            local.start_host()
    finally:
        file.write_text(right)
    local.start_host()
    assert setting_seen_by_function(local, "PLAIN") == "as it is"


def test_everything_with_its_host_stops_within_seconds(local: LocalAzure) -> None:
    with closing(psycopg2.connect(local.settings["DATABASE_URL"])) as connection, connection:
        connection.cursor().execute("DROP TABLE IF EXISTS stock")
    local.start_host()
    before = time.monotonic()
    local.stop()
    assert time.monotonic() - before < 10
