"""When a message may leave: by simulated time, or by a number of events a second."""

import time
from collections.abc import Callable
from typing import Protocol

from simulator.message import Message

type Clock = Callable[[], float]


class Pacing(Protocol):
    """Something that tells how long a message has to wait."""

    def delay(self, message: Message) -> float:
        """Return the seconds until ``message`` may leave; 0 or less if it is due.

        While it has to wait, this is asked again and again: the answer may change.
        """

    def leave(self, message: Message) -> None:
        """Take note that ``message`` leaves now; the next ones are asked about after it."""


class Pace:
    """Lets messages leave as simulated time passes, faster or slower.

    The wall clock starts with the first message that is asked about.
    """

    def __init__(
        self,
        started_at_simulated_us: int,
        speed_up: float = 1.0,
        clock: Clock = time.monotonic,
    ) -> None:
        """Begin at a simulated time.

        Args:
            started_at_simulated_us: microseconds since 1970, as in ``Message.at``.
            speed_up: simulated seconds in one second.
            clock: seconds that never go back.
        """
        self._simulated = started_at_simulated_us
        self._speed_up = speed_up
        self._clock = clock
        self._began: float | None = None

    def delay(self, message: Message) -> float:
        """Return the seconds until the message's ``at`` has come."""
        now = self._clock()
        if self._began is None:
            self._began = now
        due = (message.at - self._simulated) / 1e6 / self._speed_up
        return self._began + due - now

    def leave(self, message: Message) -> None:
        """Do nothing: each message has a time of its own."""


class Rate:
    """Lets so many events leave in a second, on average from the first one on."""

    def __init__(self, events_per_second: float, clock: Clock = time.monotonic) -> None:
        self._rate = events_per_second
        self._clock = clock
        self._began: float | None = None
        self._taken = 0

    def delay(self, _: Message) -> float:
        """Return the seconds until a message is due after all before it."""
        now = self._clock()
        if self._began is None:
            self._began = now
        return self._began + self._taken / self._rate - now

    def leave(self, message: Message) -> None:
        """Count the message's events: the next message waits for their time to pass."""
        self._taken += message.events
