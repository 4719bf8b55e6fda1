import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from local_azure.config import (
    BlobStoragePart,
    ConfigInvalid,
    EventHubsPart,
    LocalAzureConfig,
    Part,
    PostgreSQLPart,
    fill,
    load_config,
    parse_config,
)
from local_azure.event_hubs.config import EventHubsConfig, HubConfig

REPOSITORY = Path(__file__).parents[3]


def problems(document: object) -> tuple[str, ...]:
    with pytest.raises(ConfigInvalid) as caught:
        parse_config(document, Path("/project"))
    return caught.value.problems


def read(document: Mapping[str, object]) -> LocalAzureConfig:
    return parse_config(document, Path("/project"))


def test_the_projects_own_file_starts_everything_that_the_functions_need() -> None:
    config = load_config(REPOSITORY / "local_azure.yaml")
    assert config.data_folder == REPOSITORY / ".local"
    assert config.cache_folder == REPOSITORY / ".local" / "cache"
    assert config.event_hubs == EventHubsPart(
        EventHubsConfig((HubConfig("payments", 4, ("metrics",), 24),))
    )
    assert config.blob_storage == BlobStoragePart(("compliance-rules",))
    assert config.postgresql == PostgreSQLPart("payments")
    assert (config.functions.project, config.functions.port) == (REPOSITORY, 7071)
    assert config.prepare == (("alembic", "upgrade", "head"),)
    example = json.loads((REPOSITORY / "local.settings.json.example").read_text())
    assert set(config.settings) == set(example["Values"])


def test_an_empty_file_has_no_parts_and_the_usual_places() -> None:
    config = parse_config(None, Path("/project"))
    assert [config.part(part) for part in Part] == [None, None, None]
    assert config.data_folder == Path("/project/.local")
    assert (config.functions.project, config.functions.port) == (Path("/project"), 7071)


def test_everything_that_the_file_says_is_taken() -> None:
    config = read(
        {
            "data_folder": "data",
            "cache_folder": "/elsewhere",
            "event_hubs": {"hubs": {"h": None}, "port": 5672},
            "blob_storage": {"port": 10000, "queue_port": 10001, "containers": ["a", "b"]},
            "postgresql": {"port": 5432, "database": "d"},
            "functions": {"project": "app", "port": 0},
            "settings": {"A": "{postgresql}?x={{1}}", "B": "b"},
            "prepare": [["alembic", "upgrade", "head"], ["seed"]],
        }
    )
    assert config == LocalAzureConfig(
        data_folder=Path("/project/data"),
        cache_folder=Path("/elsewhere"),
        event_hubs=EventHubsPart(EventHubsConfig((HubConfig("h"),)), 5672),
        blob_storage=BlobStoragePart(("a", "b"), 10000, 10001),
        postgresql=PostgreSQLPart("d", 5432),
        functions=config.functions,
        settings={"A": "{postgresql}?x={{1}}", "B": "b"},
        prepare=(("alembic", "upgrade", "head"), ("seed",)),
    )
    assert (config.functions.project, config.functions.port) == (Path("/project/app"), 0)


def test_a_connection_string_stands_for_a_part_that_is_not_started() -> None:
    config = read(
        {
            "event_hubs": {"connection_string": "Endpoint=sb://there/;"},
            "blob_storage": {"connection_string": "AccountName=there"},
            "postgresql": {"connection_string": "postgresql://there/d"},
        }
    )
    assert config.event_hubs == EventHubsPart(connection_string="Endpoint=sb://there/;")
    assert config.blob_storage == BlobStoragePart(connection_string="AccountName=there")
    assert config.postgresql == PostgreSQLPart(connection_string="postgresql://there/d")


@pytest.mark.parametrize("part", Part)
@pytest.mark.parametrize("document", [{}, {"postgresql": {}, "blob_storage": {}}])
def test_a_connection_string_from_outside_replaces_whatever_the_file_says(
    part: Part, document: dict[str, object]
) -> None:
    config = read(document).with_connection(part, "there")
    found = config.part(part)
    assert found is not None
    assert found.connection_string == "there"


def test_every_mistake_is_reported_at_once_with_its_path_and_a_suggestion(tmp_path: Path) -> None:
    file = tmp_path / "local_azure.yaml"
    file.write_text(
        """
postgresq: {}
event_hubs:
  prot: 1
  hubs:
    payments: {partition: 3}
blob_storage:
  port: 70000
  containers: [rules, 3]
functions: {port: no}
settings:
  DATABASE_URL: "{postgresql}"
  Storage: "{blob_strage}"
  SIZE: 3
  BROKEN: "{"
prepare:
  - alembic
"""
    )
    with pytest.raises(ConfigInvalid) as caught:
        load_config(file)
    assert str(caught.value) == (
        f"{file} has 11 mistakes:\n"
        "  postgresq: this key is unknown; did you mean postgresql? There are blob_storage, "
        "cache_folder, data_folder, event_hubs, functions, postgresql, prepare, settings\n"
        "  event_hubs.prot: this key is unknown; did you mean port? There are connection_string, "
        "hubs, port\n"
        "  event_hubs.hubs.payments.partition: unknown key; there are partitions, "
        "consumer_groups, retention_hours\n"
        "  blob_storage.containers[1]: a text is needed, not 3; put it in quotes\n"
        "  blob_storage.port: a port from 1 to 65535 is needed, or 0 for any free one, not 70000\n"
        "  functions.port: a port from 1 to 65535 is needed, or 0 for any free one, not False\n"
        "  settings.DATABASE_URL: {postgresql} stands for nothing in this file; "
        "there are blob_storage, event_hubs\n"
        "  settings.Storage: {blob_strage} stands for nothing in this file; "
        "did you mean blob_storage? There are blob_storage, event_hubs\n"
        "  settings.SIZE: app settings are texts, not 3; put it in quotes\n"
        "  settings.BROKEN: Single '{' encountered in format string; "
        "write {{ and }} for braces that stay\n"
        "  prepare[0]: a list of texts is needed, a Python module and its arguments such as "
        "[alembic, upgrade, head], not 'alembic'"
    )


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], "a mapping is needed with some of"),
        ({"postgresql": None}, "postgresql: a mapping is needed with some of bin_folder, "),
        ({"postgresql": {"database": 1}}, "postgresql.database: a text is needed, not 1"),
        ({"postgresql": {"database": " "}}, "postgresql.database: a text is needed, not ' '"),
        ({"postgresql": {"bin_folder": "x"}}, "there is no program postgres in /project/x"),
        ({"event_hubs": {}}, "event_hubs.hubs: a mapping with at least one hub is needed"),
        ({"blob_storage": {"containers": "a"}}, "blob_storage.containers: a list of texts"),
        ({"settings": []}, "settings: a mapping of setting to text is needed, not []"),
        ({"settings": {"A": "{x}"}}, "settings.A: {x} stands for nothing, since the file has"),
        ({"prepare": "alembic"}, "prepare: a list of commands is needed, not 'alembic'"),
    ],
)
def test_a_single_mistake_is_named(document: object, problem: str) -> None:
    (found,) = problems(document)
    assert problem in found


def test_a_file_that_is_missing_or_no_yaml_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match=r"(?s)none\.yaml has one mistake.*--config"):
        load_config(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(ConfigInvalid, match="it is not YAML"):
        load_config(tmp_path / "bad.yaml")


def test_a_setting_is_filled_unless_it_needs_a_part_without_address() -> None:
    connections = {Part.POSTGRESQL: "postgresql://h/d"}
    assert fill("{postgresql}?x={{1}}", connections) == "postgresql://h/d?x={1}"
    assert fill("plain", connections) == "plain"
    assert fill("{event_hubs}", connections) is None
