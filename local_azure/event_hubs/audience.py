"""Who may receive: owner levels ("epochs") of the receivers of one group on one partition."""

from typing import Protocol

from local_azure.event_hubs.errors import LinkRefused

# Event Hubs' own limit.
MAX_RECEIVERS = 5
STOLEN = "amqp:link:stolen"


class Receiver(Protocol):
    """A receiver as far as admission goes.

    Attributes:
        epoch: Its owner level; None if it shares the partition with others.
    """

    epoch: int | None

    def evict(self, condition: str, description: str) -> None:
        """Detach it with an error."""


class Audience:
    """The receivers of one consumer group on one partition.

    Either one receiver with an owner level, or up to five without.
    """

    def __init__(self) -> None:
        self._receivers: list[Receiver] = []

    def admit(self, receiver: Receiver) -> None:
        """Let a receiver in; those with a lower or equal owner level, or none, have to leave.

        Raises:
            LinkRefused: Another receiver has a higher owner level, or there are too many.
        """
        highest = max((r.epoch for r in self._receivers if r.epoch is not None), default=None)
        if receiver.epoch is None:
            self._admit_sharing(receiver, highest)
            return
        if highest is not None and highest > receiver.epoch:
            raise LinkRefused(
                STOLEN,
                f"A receiver with a higher epoch '{highest}' already exists. A receiver with "
                f"epoch {receiver.epoch} cannot be created. Use a higher owner level, or close "
                "the other receiver.",
            )
        evicted, self._receivers = self._receivers, [receiver]
        for other in evicted:
            other.evict(
                STOLEN,
                f"New receiver with higher epoch of '{receiver.epoch}' is created hence current "
                f"receiver with epoch '{other.epoch}' is getting disconnected.",
            )

    def _admit_sharing(self, receiver: Receiver, highest: int | None) -> None:
        if highest is not None:
            raise LinkRefused(
                STOLEN,
                f"At least one receiver for the endpoint is created with epoch of '{highest}', "
                "and so non-epoch receiver is not allowed. Either reconnect with a higher epoch, "
                "or make sure all epoch receivers are closed or disconnected.",
            )
        if len(self._receivers) >= MAX_RECEIVERS:
            raise LinkRefused(
                "amqp:resource-limit-exceeded",
                "Exceeded the maximum number of allowed receivers per partition in a consumer "
                f"group which is {MAX_RECEIVERS}.",
            )
        self._receivers.append(receiver)

    def leave(self, receiver: Receiver) -> None:
        """Forget a receiver; one that was evicted is forgotten already."""
        self._receivers = [other for other in self._receivers if other is not receiver]
