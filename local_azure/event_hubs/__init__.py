"""A local Event Hubs: an AMQP 1.0 endpoint that the unmodified ``azure-eventhub`` SDK talks to.

``EventHubsServer`` serves from an event loop, ``serving`` from a thread for the length of a
``with`` statement, ``python -m local_azure.event_hubs`` from a process of its own.
"""

from local_azure.event_hubs.config import EventHubsConfig, HubConfig, parse_config
from local_azure.event_hubs.errors import EventHubsConfigError, EventHubsError
from local_azure.event_hubs.server import EventHubsServer, connection_string
from local_azure.event_hubs.serving import serving

__all__ = [
    "EventHubsConfig",
    "EventHubsConfigError",
    "EventHubsError",
    "EventHubsServer",
    "HubConfig",
    "connection_string",
    "parse_config",
    "serving",
]
