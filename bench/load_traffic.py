"""Sends packed payments at a rate, or as many as are taken, for as long as it is wanted.

The payments are the frozen workload's, made ready beforehand but for their ids, event times and
customers, so that sending takes little of the machine that is measured. Who pays ten thousand times
a second is a population of a billion, each with payments of one kind: few pay twice within an hour.
Rules on sequences find something at nearly every payment of a few thousand customers who pay all
the time, which says nothing of any load that there is.
"""

import json
import random
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, override

from bench import workload
from bench.load_thread import LoadThread
from simulator.message import Message
from simulator.publishing.connection import ProducerSettings
from simulator.publishing.event_hubs import EventHubsPublisher

PER_MESSAGE: Final = workload.PAYMENTS_PER_MESSAGE
_KEYS: Final = 64
_TEMPLATES: Final = 40
_CUSTOMERS_OF_A_KIND: Final = 500_000
_TURN_SECONDS: Final = 0.05
_LONGEST_LAG_SECONDS: Final = 1.0


@dataclass(slots=True)
class Flow:
    """Messages on their way: the sender counts what was sent, the sampler what was processed.

    Each count is written by one thread alone.
    """

    sent: int = 0
    processed: int = 0

    @property
    def waiting(self) -> int:
        """Messages sent and not yet seen processed."""
        return max(0, self.sent - self.processed)


class Bodies:
    """Makes messages of payments that happen now, with ids that no other run has."""

    def __init__(self, seed: int) -> None:
        self._run = uuid.uuid4().hex[:12]
        self._made = 0
        self._source = random.Random(seed)
        self._templates = [_template(self._source) for _ in range(_TEMPLATES)]

    def next(self) -> bytes:
        """Return the body of the next message."""
        kind = self._made % _TEMPLATES
        now = datetime.now(UTC).isoformat().encode()
        fields: list[bytes] = []
        for place in range(PER_MESSAGE):
            number = self._made * PER_MESSAGE + place
            twin = int(self._source.random() * _CUSTOMERS_OF_A_KIND)
            customer = (twin * _TEMPLATES + kind) * PER_MESSAGE + place
            fields += (
                f"{self._run}{number:020x}".encode(),
                now,
                b"customer-%d" % customer,
                b"person%d@example.com" % customer,
            )
        self._made += 1
        return self._templates[kind] % tuple(fields)


class Sender(LoadThread):
    """Sends in a thread of its own, within a ``with`` block; its end raises what went wrong.

    Args:
        settings: where to.
        flow: where it counts, and by which it holds back.
        seed: of the payments.
    """

    def __init__(self, settings: ProducerSettings, flow: Flow, seed: int = 1) -> None:
        super().__init__("sender")
        self._settings = settings
        self._flow = flow
        self._bodies = Bodies(seed)
        self._rate = 0.0
        self._most_waiting = 0
        self._due = 0.0

    def as_fast_as_taken(self, most_waiting: int) -> None:
        """Send from now on whenever fewer than so many messages wait."""
        self._most_waiting = most_waiting

    def steadily(self, rate: float) -> None:
        """Send so many messages a second from now on, whatever waits; 0 pauses."""
        self._most_waiting = 0
        self._rate = rate

    @override
    def work(self, ending: threading.Event) -> None:
        """Send until the block ends."""
        with EventHubsPublisher(self._settings) as publisher:
            last = time.monotonic()
            turn = 0
            while not ending.wait(_TURN_SECONDS):
                now = time.monotonic()
                # After a pause of the machine the rate goes on; what was missed is not sent.
                due = self._messages_due(min(now - last, _LONGEST_LAG_SECONDS))
                last = now
                turn += 1
                for _ in range(due):
                    body = self._bodies.next()
                    publisher.send(Message(str(turn % _KEYS), body, PER_MESSAGE))
                publisher.flush()
                self._flow.sent += due

    def _messages_due(self, seconds: float) -> int:
        if self._most_waiting:
            return max(0, self._most_waiting - self._flow.waiting)
        self._due += self._rate * seconds
        whole = int(self._due)
        self._due -= whole
        return whole


def _template(source: random.Random) -> bytes:
    """Return a message in which ids, event times and customers are to be filled in."""
    payments = []
    for _ in range(PER_MESSAGE):
        payment = workload.payment(source, datetime.now(UTC))
        filled_in = {
            "transaction_id": "%b",
            "event_time": "%b",
            "customer": payment["customer"] | {"id": "%b", "email": "%b"},
        }
        payments.append(payment | filled_in)
    return json.dumps(payments).encode()
