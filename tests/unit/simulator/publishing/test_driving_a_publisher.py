"""How messages are driven into a publisher, in time, and what becomes of them if it fails."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from simulator.errors import EventHubsUnreachable, SimulatorError
from simulator.message import Message
from simulator.publishing.counters import Counters
from simulator.publishing.errors import OutputClosed, PublishingInterrupted, SpoolFailed
from simulator.publishing.pace import Pace
from simulator.publishing.protocol import Publisher, Sent
from simulator.publishing.publish import publish
from simulator.publishing.spool import Spool

type Trouble = Callable[[Message], None]


class Memory:
    """A publisher into memory; what was sent arrives when it is flushed."""

    def __init__(self, trouble: Trouble = lambda _: None) -> None:
        self.counters = Counters()
        self.trouble = trouble
        self.open: list[Message] = []
        self.arrived: list[Message] = []
        self.flushes: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def send(self, message: Message) -> None:
        self.counters.take()
        self.open.append(message)
        self.trouble(message)

    def flush(self) -> None:
        for message in self.open:
            self.counters.acknowledge(1, message.events, len(message.body), 0.001)
        self.flushes.append(len(self.open))
        self.arrived += self.open
        self.open = []

    def unacknowledged(self) -> Sequence[Message]:
        return self.open


def messages(count: int, first: int = 0) -> list[Message]:
    return [Message(str(n % 2), b"%d" % n, 2, n * 1_000) for n in range(first, first + count)]


def failing_at(number: int, error: BaseException) -> Trouble:
    def trouble(message: Message) -> None:
        if message.body == b"%d" % number:
            raise error

    return trouble


def spooled(spool: Spool) -> list[Message]:
    memory = Memory()
    spool.drain(memory)
    return memory.arrived


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


def test_everything_arrives_and_is_told() -> None:
    told: list[Sent] = []
    memory = Memory()
    assert publish(messages(5), memory, told.append) == Sent(5, 10, 5)
    assert memory.arrived == messages(5)
    assert told == [Sent(5, 10, 5)]


def test_short_pauses_are_pooled_and_what_is_open_is_sent_before_a_long_one() -> None:
    memory = Memory()
    times = [0, 5_000, 10_000, 15_000, 500_000, 505_000]
    started = time.monotonic()
    publish([Message("1", b"", 1, at) for at in times], memory, pace=Pace(0))
    assert time.monotonic() - started >= 0.48
    assert memory.flushes == [4, 2]


def test_no_message_waits_long_for_others_although_all_pauses_are_short() -> None:
    memory = Memory()
    publish([Message("1", b"", 1, n * 50_000) for n in range(13)], memory, pace=Pace(0))
    assert len(memory.flushes) >= 3
    assert max(memory.flushes) <= 5


def test_pace_and_rate_both_hold() -> None:
    for options in ({"pace": Pace(0), "rate": 1e9}, {"pace": Pace(0, 1e9), "rate": 10.0}):
        started = time.monotonic()
        publish([Message("1", b"", 3, n * 300_000) for n in range(2)], Memory(), **options)  # type: ignore[arg-type]
        assert 0.27 <= time.monotonic() - started < 0.6


def test_a_pace_that_changes_its_mind_ends_a_long_wait() -> None:
    class Stopped(Pace):
        asked = 0

        def delay(self, message: Message) -> float:
            self.asked += 1
            return 0.0 if self.asked > 2 else super().delay(message)

    started = time.monotonic()
    publish([Message("1", b"", 1, 3_600_000_000)], Memory(), pace=Stopped(0))
    assert time.monotonic() - started < 5


def test_without_a_spool_errors_are_left_as_they_are() -> None:
    with pytest.raises(EventHubsUnreachable, match=r"^gone$"):
        publish(messages(9), Memory(failing_at(3, EventHubsUnreachable("gone"))))
    with pytest.raises(KeyboardInterrupt):
        publish(messages(9), Memory(failing_at(3, KeyboardInterrupt())))


def test_what_was_taken_but_not_acknowledged_is_spooled(spool: Spool) -> None:
    memory = Memory(failing_at(3, EventHubsUnreachable("gone")))
    with pytest.raises(
        EventHubsUnreachable, match=r"^gone; 8 events in 4 messages .* run the same simulation"
    ):
        publish(messages(9), memory, spool=spool)
    assert spooled(spool) == messages(4)


def test_the_rest_is_spooled_in_order_if_so_wished(spool: Spool) -> None:
    memory = Memory(failing_at(3, EventHubsUnreachable("gone")))
    with pytest.raises(EventHubsUnreachable, match="18 events in 9 messages") as caught:
        publish(messages(9), memory, spool=spool, spool_rest=True)
    assert "same simulation" not in str(caught.value)
    assert spooled(spool) == messages(9)


def test_an_interruption_spools_what_was_taken_and_no_more(spool: Spool) -> None:
    memory = Memory(failing_at(3, KeyboardInterrupt()))
    with pytest.raises(PublishingInterrupted, match=r"^interrupted; 8 events in 4 messages"):
        publish(messages(9), memory, spool=spool, spool_rest=True)
    assert spooled(spool) == messages(4)


def test_a_message_that_was_taken_but_did_not_reach_the_publisher_is_not_lost(spool: Spool) -> None:
    class Unlucky(Memory):
        def send(self, message: Message) -> None:
            if message.body == b"3":
                raise KeyboardInterrupt
            super().send(message)

    with pytest.raises(PublishingInterrupted):
        publish(messages(9), Unlucky(), spool=spool)
    assert spooled(spool) == messages(4)


def test_an_interruption_with_nothing_open_says_so(spool: Spool) -> None:
    def interrupted() -> Iterator[Message]:
        yield from messages(2)
        memory.flush()
        raise KeyboardInterrupt

    memory = Memory()
    with pytest.raises(PublishingInterrupted, match="nothing waits for an acknowledgement"):
        publish(interrupted(), memory, spool=spool)
    assert memory.arrived == messages(2)
    assert not spool.folder.exists()


def test_an_error_of_the_messages_themselves_spools_too_and_keeps_its_class(spool: Spool) -> None:
    def broken() -> Iterator[Message]:
        yield from messages(2)
        raise LookupError("row 3")

    with pytest.raises(LookupError, match="row 3") as caught:
        publish(broken(), Memory(), spool=spool)
    assert "4 events in 2 messages" in caught.value.__notes__[0]
    assert spooled(spool) == messages(2)


def test_what_earlier_runs_left_is_sent_first_and_not_counted(spool: Spool) -> None:
    spool.keep(messages(3))
    memory = Memory()
    told: list[Sent] = []
    assert publish(messages(2, first=3), memory, told.append, spool=spool) == Sent(2, 4, 2)
    assert memory.arrived == messages(5)
    assert told == [Sent(2, 4, 2)]


def test_nothing_new_is_taken_while_the_spool_cannot_be_sent(spool: Spool) -> None:
    spool.keep(messages(3))
    taken: list[Message] = []

    def watched() -> Iterator[Message]:
        for message in messages(2, first=3):
            taken.append(message)
            yield message

    for error, expected in (
        (EventHubsUnreachable("gone"), EventHubsUnreachable),
        (KeyboardInterrupt(), PublishingInterrupted),
    ):
        memory = Memory(failing_at(1, error))
        with pytest.raises(expected, match="what earlier runs could not send"):
            publish(watched(), memory, spool=spool)
    assert taken == []
    assert spooled(spool) == messages(3)


def test_a_spool_that_cannot_be_written_is_the_greater_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = Memory(failing_at(3, EventHubsUnreachable("gone")))
    with pytest.raises(SpoolFailed, match="8 events in 4 messages are in danger") as caught:
        publish(messages(9), memory, spool=Spool(tmp_path / "file" / "spool"))
    assert isinstance(caught.value.__context__, OSError)


def test_output_that_nobody_reads_is_the_end_and_no_failure() -> None:
    memory = Memory(failing_at(3, OutputClosed("closed")))
    memory.counters.acknowledge(9, 9, 9, 0.1)
    assert publish(messages(9), memory) == Sent(0, 0, 0)


def test_impatience_does_not_disturb_the_spool(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = Spool.keep

    def slowly(self: Spool, taken: Sequence[Message]) -> object:
        signal.raise_signal(signal.SIGINT)
        return keep(self, taken)

    monkeypatch.setattr(Spool, "keep", slowly)
    with pytest.raises(PublishingInterrupted, match="8 events"):
        publish(messages(9), Memory(failing_at(3, KeyboardInterrupt())), spool=spool)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert spooled(spool) == messages(4)


def test_a_thread_that_may_not_touch_signals_spools_all_the_same(spool: Spool) -> None:
    caught: list[SimulatorError] = []

    def run() -> None:
        try:
            publish(messages(9), Memory(failing_at(3, EventHubsUnreachable("gone"))), spool=spool)
        except SimulatorError as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert "8 events in 4 messages" in str(caught[0])


def test_memory_is_a_publisher() -> None:
    publisher: Publisher = Memory()
    with publisher:
        publisher.send(messages(1)[0])
    assert len(publisher.unacknowledged()) == 1
