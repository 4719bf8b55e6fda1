"""One occurrence of a violation, before it becomes events in messages."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from shared_code.domain.vocabularies import RejectReason
from simulator.wire import Payment


class Refusal(NamedTuple):
    """An event that the pipeline has to refuse.

    Attributes:
        at: when it arrives, aware UTC.
        body: its JSON text, or what stands in for it.
        reason: under which it is filed.
        customer_id: decides on its partition key.
        transaction_id: its own, None if nothing can be read of it.
        alone: it would take the other events of its message with it, so it is a message itself.
    """

    at: datetime
    body: bytes
    reason: RejectReason
    customer_id: str
    transaction_id: str | None = None
    alone: bool = False


NOBODY: Final[Mapping[str, str]] = MappingProxyType({})


class Incident(NamedTuple):
    """One occurrence of a violation, or of what looks like one.

    Attributes:
        payments: its valid payment events.
        subject: whom it is about, by rule fields such as ``customer.id``; empty if it is about
            its events one by one.
        refused: its events that have to be refused.
    """

    payments: tuple[Payment, ...] = ()
    subject: Mapping[str, str] = NOBODY
    refused: tuple[Refusal, ...] = ()
