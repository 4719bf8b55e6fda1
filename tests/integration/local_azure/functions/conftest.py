"""A project, an event hub and a container of its own for each test."""

import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient
from integration.local_azure.functions.sample_app import SampleApp
from integration.local_azure.functions.sample_hub import GROUP, Hub, opened

from local_azure.event_hubs.config import EventHubsConfig, HubConfig
from local_azure.event_hubs.serving import serving


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    # Checkpoints are kept by the hub's name in the storage that all tests share.
    name = f"hub-{uuid.uuid4().hex[:12]}"
    config = EventHubsConfig((HubConfig(name, 2, (GROUP,)),))
    with (
        serving(config, tmp_path / "event-hubs") as connection_string,
        opened(connection_string, name) as hub,
    ):
        yield hub


@pytest.fixture
def app(tmp_path: Path, azurite: str) -> Iterator[SampleApp]:
    sample = SampleApp(tmp_path / "app", {"AzureWebJobsStorage": azurite})
    yield sample
    sample.close()


@pytest.fixture
def event_app(app: SampleApp, hub: Hub) -> SampleApp:
    app.settings |= {"EventHubConnection": hub.connection_string, "HubName": hub.name}
    return app


@pytest.fixture
def storage(azurite: str) -> Iterator[BlobServiceClient]:
    with closing(BlobServiceClient.from_connection_string(azurite)) as service:
        yield service


@pytest.fixture
def container(storage: BlobServiceClient) -> ContainerClient:
    return storage.create_container(f"files-{uuid.uuid4().hex[:12]}")
