"""How librdkafka reaches Event Hubs' Kafka endpoint, or a Kafka of one's own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from azure.core.exceptions import ClientAuthenticationError

from simulator.errors import EventHubsRefused
from simulator.publishing.connection import ProducerSettings
from simulator.publishing.identity import credential_of

_PORT: Final = 9093
_EMULATOR_PORT: Final = 9092
# As Microsoft recommends for librdkafka: it closes connections that idle for four minutes, and
# those with requests above 1,046,528 bytes.
_FOR_EVENT_HUBS: Final[dict[str, object]] = {
    "socket.keepalive.enable": True,
    "metadata.max.age.ms": 180_000,
    "connections.max.idle.ms": 180_000,
    "request.timeout.ms": 60_000,
    "message.max.bytes": 1_000_000,
}


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """Where to send by Kafka's protocol, and how patiently.

    Attributes:
        topic: the event hub's name.
        connection: of the Event Hubs namespace, None for a Kafka of one's own.
        bootstrap: servers of that Kafka, as ``host:port,host:port``, without SASL.
        delivery_timeout: seconds until a message that was not acknowledged has failed.
        look_timeout: seconds to wait for the first answer.
        max_queued: most messages that librdkafka holds.
    """

    topic: str
    connection: ProducerSettings | None = None
    bootstrap: str = ""
    delivery_timeout: float = 120.0
    look_timeout: float = 15.0
    max_queued: int = 10_000

    @classmethod
    def of_event_hubs(cls, connection: ProducerSettings) -> "KafkaSettings":
        """Return the settings for the Kafka endpoint of an Event Hubs namespace."""
        host = connection.address.partition(":")[0]
        port = _EMULATOR_PORT if connection.emulated else _PORT
        return cls(connection.event_hub, connection, f"{host}:{port}")

    @property
    def where(self) -> str:
        """The topic and its servers, for messages."""
        return f"event hub or topic {self.topic!r} at {self.bootstrap}"

    def without_secrets(self, text: str) -> str:
        """Return ``text`` with the key of the connection string blotted out."""
        return text if self.connection is None else self.connection.without_secrets(text)

    def configuration(self) -> dict[str, object]:
        """Return what librdkafka is to be told, but for callbacks."""
        configuration: dict[str, object] = {
            "bootstrap.servers": self.bootstrap,
            "client.id": "simulator",
            # Acknowledged by all replicas, repeated without duplicates, never reordered.
            "enable.idempotence": True,
            "linger.ms": 20,
            "delivery.timeout.ms": round(self.delivery_timeout * 1000),
            "queue.buffering.max.messages": self.max_queued,
            "queue.buffering.max.kbytes": 64 * 1024,
        }
        if self.connection is not None:
            configuration |= _FOR_EVENT_HUBS | _sign_in(self.connection)
        return configuration


def _sign_in(connection: ProducerSettings) -> dict[str, object]:
    protocol = "SASL_PLAINTEXT" if connection.emulated else "SASL_SSL"
    if connection.connection_string is None:
        return {
            "security.protocol": protocol,
            "sasl.mechanisms": "OAUTHBEARER",
            "oauth_cb": token_source(connection),
        }
    return {
        "security.protocol": protocol,
        "sasl.mechanisms": "PLAIN",
        "sasl.username": "$ConnectionString",
        "sasl.password": connection.connection_string,
    }


def token_source(connection: ProducerSettings) -> Callable[[str], tuple[str, float]]:
    """Return a function that gives librdkafka a token, and the time at which it expires.

    Raises:
        EventHubsRefused: there is no identity; librdkafka would say so late and without a reason.
    """
    credential = credential_of(connection)
    scope = f"https://{connection.address}/.default"

    def token(_: str) -> tuple[str, float]:
        fresh = credential.get_token(scope)
        return fresh.token, float(fresh.expires_on)

    try:
        token("")
    except ClientAuthenticationError as error:
        text = error.message.partition("\n")[0]
        msg = (
            f"no identity to present to {connection.where}: {text}; "
            "sign in, or give a connection string"
        )
        raise EventHubsRefused(msg) from error
    return token
