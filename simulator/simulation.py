"""A simulation: an iterable of messages, and the ledger of what they hold."""

import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from typing import Final, TypedDict

import msgspec

from simulator.bookkeeping import Bookkeeper
from simulator.configuration.structure import Configuration
from simulator.errors import LedgerNotReady
from simulator.generation.ahead import Ahead
from simulator.generation.blocks import Block, generate_block
from simulator.generation.packing import Packer
from simulator.generation.span import Span, is_endless, span_of
from simulator.generation.timeline import BlockPlan
from simulator.generation.world import World, world_of
from simulator.ledger import Ledger
from simulator.message import Message

type Reload = Callable[[], Configuration | None]
"""Asked before each block: a new configuration, or None if nothing has changed."""

# Blocks that are generated ahead for each worker process.
_AHEAD: Final = 2


class Simulation:
    """The messages of one simulation; iterating again yields the same ones again.

    Equal configurations and times of beginning give byte-identical messages in the same order,
    with any number of worker processes.

    Attributes:
        endless: whether it goes on until it is stopped.
        expected_payments: how many distinct valid payment events there will be.
        stopped: whether it has been asked to end early.
        generating_seconds: spent on making messages so far, waiting for workers included.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        now: datetime | None = None,
        workers: int = 1,
        reload: Reload | None = None,
    ) -> None:
        self._now = now or datetime.now(UTC)
        self._first = World.build(configuration, span_of(configuration, self._now))
        self._workers = workers
        self._reload = reload
        self.stopped = False
        self._ledger: Ledger | None = None
        self.endless = is_endless(configuration)
        self.expected_payments = self._first.timeline.payments
        self.generating_seconds = 0.0

    @property
    def configuration(self) -> Configuration:
        """The configuration, pinned to its time: run again it gives the same messages."""
        return self._first.configuration

    @property
    def span(self) -> Span:
        """The stretch of time that is simulated."""
        return self._first.span

    @property
    def finished(self) -> bool:
        """Whether the last message has been taken, so that there is a ledger."""
        return self._ledger is not None

    @property
    def ledger(self) -> Ledger:
        """The account of all messages.

        Raises:
            LedgerNotReady: the last message has not been taken yet.
        """
        if self._ledger is None:
            msg = "take every message of the simulation before asking for its ledger"
            raise LedgerNotReady(msg)
        return self._ledger

    def __iter__(self) -> Iterator[Message]:
        try:
            yield from self._messages()
        finally:
            # Not before: whoever stops it while others get ready to take messages means it.
            self.stopped = False

    def _messages(self) -> Iterator[Message]:
        self._ledger = None
        world: World | None = self._first
        packer = Packer(**_packing(self._first))
        book = Bookkeeper(self._first, packer)
        self.generating_seconds = 0.0
        blocks_made = payments_made = 0
        ahead: dict[bytes, Ahead] = {}
        while world is not None:
            following: World | None = None
            with _generated(world, blocks_made, self._workers) as blocks:
                for block in self._timed(blocks):
                    blocks_made += 1
                    payments_made += block.plan.payments
                    book.record(block)
                    made = {**ahead, **block.ahead}
                    end = block.plan.end
                    ahead = {body: each for body, each in made.items() if each.time >= end}
                    yield from self._timed(packer.take(block))
                    if self.stopped:
                        break
                    following = self._reloaded(world, block.plan.end, payments_made)
                    if following is not None:
                        break
            world = following
            if world is not None:
                book.change(world)
                packer.change(**_packing(world))
        if self.stopped:
            # What lies ahead of the clock has not happened.
            packer.drop(ahead)
            book.take_back([each.payment for each in ahead.values() if each.payment is not None])
        yield from packer.close()
        self._ledger = book.close(complete=not self.stopped)

    def stop(self) -> None:
        """End with the block that is being given out.

        What has been generated is still given out at once, so that the ledger is exact; of a
        simulation that keeps pace with a clock only what has happened by then.
        """
        self.stopped = True

    def _timed[T](self, items: Iterator[T]) -> Iterator[T]:
        """Yield items, and add up the time that it takes to get them."""
        while True:
            begun = time.perf_counter()
            try:
                item = next(items)
            except StopIteration:
                return
            finally:
                self.generating_seconds += time.perf_counter() - begun
            yield item

    def _reloaded(self, world: World, start: int, payments_made: int) -> World | None:
        """Return the world from the end of a block on, if there is a new configuration."""
        configuration = self._reload() if self._reload is not None else None
        if configuration is None or start >= world.span.end:
            return None
        span = span_of(configuration, self._now)
        payments = span.payments
        if payments is not None:
            payments = max(1, payments - payments_made)
        end = max(span.end, start + 1)
        return World.build(configuration, span._replace(start=start, end=end, payments=payments))


def simulate(configuration: Configuration, *, workers: int = 1) -> Simulation:
    """Return the simulation of a configuration; nothing is generated before it is read."""
    return Simulation(configuration, workers=workers)


class _Packing(TypedDict):
    pack: int
    linger: int
    repeated_share: float


def _packing(world: World) -> _Packing:
    configuration = world.configuration
    third = configuration.arrival.duplicate_share / 3
    return {
        "pack": configuration.messages.pack,
        "linger": world.span.linger,
        # The third third of the duplicates; the others are events of blocks, and in messages as
        # conflicts are: so many events there are for each payment.
        "repeated_share": third / (1 + 2 * third + configuration.arrival.conflict_share),
    }


@contextmanager
def _generated(world: World, blocks_made: int, workers: int) -> Iterator[Iterator[Block]]:
    """Generate the blocks of a world, in order, in this process or in others.

    Blocks are numbered on from world to world: a number stands for its random draws.
    """
    plans = (plan._replace(number=blocks_made + plan.number) for plan in world.timeline.blocks())
    if workers <= 1:
        yield map(partial(generate_block, world), plans)
        return
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        yield _in_order(pool, world, plans, workers * _AHEAD)
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(
    pool: ProcessPoolExecutor, world: World, plans: Iterable[BlockPlan], ahead: int
) -> Iterator[Block]:
    configuration = msgspec.json.encode(world.configuration)
    span = world.span._replace(payments=world.timeline.payments)
    waiting: deque[Future[Block]] = deque()
    for plan in plans:
        with _interrupts_held():
            waiting.append(pool.submit(_generate, configuration, span, plan))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back, which workers that are started meanwhile inherit from their first moment.

    It reaches all processes of a terminal, but this one alone decides when to end.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _generate(configuration: bytes, span: Span, plan: BlockPlan) -> Block:
    return generate_block(world_of(configuration, span), plan)
