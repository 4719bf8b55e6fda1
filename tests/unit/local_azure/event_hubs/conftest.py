"""Scenarios between a peer and a connection, with a data folder of their own."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from unit.local_azure.event_hubs.amqp_peer import (
    MAX_MESSAGE,
    Peer,
    Scenario,
)

from local_azure.event_hubs.config import EventHubsConfig, HubConfig
from local_azure.event_hubs.namespace import Namespace


@pytest.fixture
def run(tmp_path: Path) -> Callable[[Scenario], None]:
    def run(scenario: Scenario) -> None:
        async def main() -> None:
            config = EventHubsConfig(
                (HubConfig("hub", 1),), max_message_bytes=MAX_MESSAGE, idle_timeout_seconds=60
            )
            namespace = Namespace.open(config, tmp_path)
            peer = Peer(namespace)
            try:
                await scenario(peer)
            finally:
                peer.connection.lost()
                await namespace.close()

        asyncio.run(main())

    return run
