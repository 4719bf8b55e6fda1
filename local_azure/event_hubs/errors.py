"""What can go wrong in the local Event Hubs, under one root."""

from collections.abc import Sequence
from pathlib import Path

from local_azure.errors import LocalAzureError


class EventHubsError(LocalAzureError):
    """Root of every error that the local Event Hubs raises on purpose."""


class EventHubsConfigError(EventHubsError):
    """The description of the hubs is wrong.

    Attributes:
        problems: One sentence for each mistake, led by its path (``hubs.payments.partitions``).
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class LogDamaged(EventHubsError):
    """A file of a partition's log cannot be trusted.

    Attributes:
        path: The file at fault.
        position: Where in it, in bytes from its beginning.
    """

    def __init__(self, path: Path, position: int, reason: str) -> None:
        self.path = path
        self.position = position
        super().__init__(
            f"{path} is damaged at byte {position}: {reason}. Events behind that place cannot be "
            "read; restore the file from a copy, or move the data folder away to begin afresh"
        )


class DataFolderUnusable(EventHubsError):
    """The data folder cannot serve this configuration; the message says why and what to do."""


class DecodeError(EventHubsError):
    """Bytes that are not AMQP 1.0 as the specification has it."""


class EncodeError(EventHubsError):
    """A value that AMQP 1.0 has no encoding for."""


class AmqpFailure(EventHubsError):
    """Something the peer did that AMQP answers with an error.

    Attributes:
        condition: The symbolic error condition, such as ``amqp:not-found``.
        description: A sentence for whoever reads the peer's log.
    """

    def __init__(self, condition: str, description: str) -> None:
        self.condition = condition
        self.description = description
        super().__init__(f"{condition}: {description}")


class DeliveryRefused(AmqpFailure):
    """One message is answered with the outcome ``rejected``; its link lives on."""


class LinkRefused(AmqpFailure):
    """A link is not attached, or is detached with an error; its session lives on."""


class SessionRefused(AmqpFailure):
    """A session is ended with an error; its connection lives on."""


class ConnectionRefused(AmqpFailure):
    """The connection is closed with an error; the server lives on."""
