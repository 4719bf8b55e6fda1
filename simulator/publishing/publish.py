"""Drives messages into a publisher, in time, and loses none when that fails."""

import signal
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from simulator.errors import SimulatorError
from simulator.message import Message
from simulator.publishing.errors import OutputClosed, PublishingInterrupted
from simulator.publishing.pace import Pacing, Rate
from simulator.publishing.protocol import Progress, Publisher, Sent
from simulator.publishing.spool import Kept, Spool

# A pause shorter than this is slept through later, together with others.
_SHORTEST_PAUSE: Final = 0.02
# How often a message that has to wait for long is asked about again, in seconds.
_LONGEST_PAUSE: Final = 0.25
# No message waits longer than this for others of its partition key, in seconds.
_LINGER: Final = 0.2
_REST_IS_REPEATABLE: Final = (
    "what comes after was not sent: run the same simulation again for it; payments that arrive "
    "twice change nothing"
)


def publish(
    messages: Iterable[Message],
    publisher: Publisher,
    progress: Progress | None = None,
    *,
    pace: Pacing | None = None,
    rate: float | None = None,
    spool: Spool | None = None,
    spool_rest: bool = False,
) -> Sent:
    """Send every message, in order within its partition key, and return what was sent.

    With a spool, what earlier runs left in it is sent first; and if sending fails or is
    interrupted, every message that was taken but not acknowledged is put there. Standard output
    that nobody reads any more is no failure, but the end.

    Args:
        messages: taken one by one.
        publisher: where to; open, and left open.
        progress: told whenever something was acknowledged.
        pace: lets each message leave in its time; as fast as possible if None.
        rate: most events per second, besides.
        spool: of the publisher's destination; without one, an interruption is a
            ``KeyboardInterrupt`` as ever.
        spool_rest: when sending fails, spool all messages that are still to come, too. An
            interruption is the wish to end, and spools only what was taken.

    Raises:
        PublishingInterrupted: by Ctrl-C, and there is a spool.
        SpoolFailed: what was not acknowledged could not be spooled.
        SimulatorError: what the publisher or the messages raise; the message says where that
            which was not acknowledged is kept.
    """
    pacings = [*([pace] if pace else []), *([Rate(rate)] if rate else [])]
    if spool is not None:
        _drain(spool, publisher)
    delivery = _Delivery(publisher, progress, pacings)
    source = iter(messages)
    try:
        delivery.run(source)
    except OutputClosed:
        return delivery.sent
    except BaseException as error:
        if spool is None:
            raise
        with _undisturbed():
            kept = [spool.keep(delivery.unacknowledged())]
        if spool_rest and isinstance(error, SimulatorError):
            kept.append(spool.keep(source))
        note = _account([part for part in kept if part is not None], rest=spool_rest)
        if isinstance(error, KeyboardInterrupt):
            msg = f"interrupted; {note}"
            raise PublishingInterrupted(msg) from None
        _append(error, note)
        raise
    return delivery.sent


class _Delivery:
    """Sends the messages of one iterable."""

    def __init__(
        self, publisher: Publisher, progress: Progress | None, pacings: Sequence[Pacing]
    ) -> None:
        self._publisher = publisher
        self._progress = progress
        self._pacings = pacings
        self._before = Sent.by(publisher.counters)
        self._handed_before = publisher.counters.taken
        self._told = self.sent
        self._open_since: float | None = None
        self._taken = 0
        self._last: Message | None = None

    @property
    def sent(self) -> Sent:
        """What has been acknowledged since the beginning."""
        return Sent.by(self._publisher.counters, self._before)

    def run(self, messages: Iterator[Message]) -> None:
        """Send everything."""
        # Nothing can come between taking a message and noting it, Ctrl-C included.
        for self._taken, self._last in enumerate(messages, 1):
            self._wait(self._last)
            self._publisher.send(self._last)
            self._open_since = self._open_since or time.monotonic()
            self._tell()
        self._flush()

    def unacknowledged(self) -> Sequence[Message]:
        """Return what was taken and may not have arrived."""
        waiting = list(self._publisher.unacknowledged())
        handed = self._publisher.counters.taken - self._handed_before
        if self._last is not None and handed < self._taken:
            waiting.append(self._last)
        return waiting

    def _wait(self, message: Message) -> None:
        """Wait until a message may leave; send before what would wait for too long."""
        while (delay := self._delay(message)) >= _SHORTEST_PAUSE:
            if self._open_since is not None and (
                time.monotonic() + delay - self._open_since > _LINGER
            ):
                self._flush()
                # That took its time.
                continue
            time.sleep(min(delay, _LONGEST_PAUSE))
        for pacing in self._pacings:
            pacing.leave(message)

    def _delay(self, message: Message) -> float:
        return max((pacing.delay(message) for pacing in self._pacings), default=0.0)

    def _flush(self) -> None:
        self._publisher.flush()
        self._open_since = None
        self._tell()

    def _tell(self) -> None:
        sent = self.sent
        if self._progress is not None and sent != self._told:
            self._told = sent
            self._progress(sent)


def _drain(spool: Spool, publisher: Publisher) -> None:
    try:
        spool.drain(publisher)
    except KeyboardInterrupt:
        msg = f"interrupted; what earlier runs could not send stays in {spool.folder}"
        raise PublishingInterrupted(msg) from None
    except SimulatorError as error:
        _append(
            error, f"this concerns what earlier runs could not send; it stays in {spool.folder}"
        )
        raise


def _account(kept: Sequence[Kept], *, rest: bool) -> str:
    """Return what was kept where, and how to go on."""
    if not kept:
        return f"nothing waits for an acknowledgement; {_REST_IS_REPEATABLE}"
    events = sum(part.events for part in kept)
    messages = sum(part.messages for part in kept)
    where = " and ".join(str(part.path) for part in kept)
    text = (
        f"{events} events in {messages} messages that were not acknowledged are kept in {where}; "
        "the next run to the same event hub sends them first"
    )
    return text if rest else f"{text}; {_REST_IS_REPEATABLE}"


def _append(error: BaseException, note: str) -> None:
    """Add a sentence to what an error says, whatever its class."""
    if isinstance(error, SimulatorError):
        error.args = (f"{error}; {note}",)
    else:
        error.add_note(note)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ignore Ctrl-C: impatience shall not cost what is being written to the spool."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
