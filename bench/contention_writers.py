"""Processes that write batches of the same hot windows, each with an engine of its own.

Every writer is what an instance of the function app is: its own interpreter, pool and folding.
"""

import os
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, Final, NamedTuple

from bench import workload
from bench.throwaway import KEY
from shared_code.domain.decoding import Message, Origin
from shared_code.engine.metric_engine import MetricEngine
from shared_code.settings import load_settings

_BATCHES_AT_HAND: Final = 20
_FRESH_FOR: Final = 20.0  # seconds until event times are made anew
_ID: Final = b'"transaction_id": "'
_WAIT: Final = 60.0


class Load(NamedTuple):
    """What a writer does.

    Attributes:
        batch: payments per batch.
        seconds: how long it writes.
        per_second: batches per second at most; None for as many as it can.
    """

    batch: int
    seconds: float
    per_second: float | None = None


class Done(NamedTuple):
    """What a writer did: payments and seconds, those in folds, and each fold."""

    payments: int
    seconds: float
    folding: float
    folds: Sequence[float]


class _TimedEngine(MetricEngine):
    """An engine that keeps how long each fold took."""

    def __init__(self, url: str) -> None:
        super().__init__(load_settings({"DATABASE_URL": url, "PII_HASH_KEY": KEY}))
        self.folds: list[float] = []

    def _fold(self) -> None:
        began = time.perf_counter()
        super()._fold()
        self.folds.append(time.perf_counter() - began)


class Writers:
    """Writers that are connected and wait for a load."""

    def __init__(self, links: Sequence[Connection]) -> None:
        self._links = links

    def prepare(self, load: Load) -> None:
        """Have every writer make its batches, and wait until the last one has.

        Raises:
            RuntimeError: a writer does not answer.
        """
        for link in self._links:
            link.send(load)
        for link in self._links:
            _answer(link, _WAIT)

    def begin(self) -> None:
        """Let every writer begin at once."""
        for link in self._links:
            link.send(None)

    def done(self, load: Load) -> list[Done]:
        """Wait for the writers and return what each did.

        Raises:
            RuntimeError: a writer failed; the message is its error.
        """
        answers = [_answer(link, load.seconds + _WAIT) for link in self._links]
        failed = [answer for answer in answers if isinstance(answer, str)]
        if failed:
            raise RuntimeError("; ".join(failed))
        return answers


@contextmanager
def writers(url: str, count: int, seed: int) -> Iterator[Writers]:
    """Start so many processes on a database, and end them with the block."""
    context = get_context("spawn")
    links: list[Connection] = []
    processes: list[SpawnProcess] = []
    try:
        for number in range(count):
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(there, url, seed * 1000 + number))
            process.start()
            there.close()
            links.append(here)
            processes.append(process)
        for link in links:
            _answer(link, _WAIT)
        yield Writers(links)
    finally:
        for link in links:
            link.close()
        for process in processes:
            process.join(10)
            if process.is_alive():
                process.kill()


def _answer(link: Connection, seconds: float) -> Any:
    if not link.poll(seconds):
        msg = f"a writer does not answer within {seconds:g} s"
        raise RuntimeError(msg)
    return link.recv()


def _serve(link: Connection, url: str, seed: int) -> None:
    """Do each load that is asked for, until the other end is closed."""
    engine = _TimedEngine(url)
    engine.process_batch(_batches(1, seed, 0)[0])
    link.send("ready")
    turn = 0
    while True:
        try:
            load = link.recv()
        except EOFError:
            break
        turn += 1
        at_hand = _batches(load.batch, seed, turn)
        link.send("prepared")
        link.recv()
        try:
            link.send(_write(engine, load, at_hand, seed, turn))
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent raises it
            link.send(f"{type(error).__name__}: {error}")
    engine.database.engine.dispose()


def _write(
    engine: _TimedEngine, load: Load, at_hand: Sequence[Sequence[Message]], seed: int, turn: int
) -> Done:
    engine.folds.clear()
    document = workload.rules_document()
    payments = number = 0
    making = 0.0
    began = time.perf_counter()
    fresh_until = began + _FRESH_FOR
    while (now := time.perf_counter()) - began < load.seconds:
        if now >= fresh_until:
            at_hand = _batches(load.batch, seed, turn * 1000 + number)
            fresh_until = time.perf_counter() + _FRESH_FOR
            making += time.perf_counter() - now
        if load.per_second is not None:
            time.sleep(max(0.0, began + number / load.per_second - now))
        prefix = f"{os.getpid():x}-{turn:x}-{number:x}-".encode()
        batch = [
            Message(message.origin, message.body.replace(_ID, _ID + prefix))
            for message in at_hand[number % len(at_hand)]
        ]
        result = engine.process_batch(batch, document)
        if result.stored != load.batch:
            msg = f"{result.stored} of {load.batch} payments were stored"
            raise RuntimeError(msg)
        payments += load.batch
        number += 1
    seconds = time.perf_counter() - began - making
    return Done(payments, seconds, sum(engine.folds), tuple(engine.folds))


def _batches(size: int, seed: int, turn: int) -> list[list[Message]]:
    """Return some batches of fresh event times, to be sent again and again under other ids."""
    end = workload.recent()
    source = random.Random(f"{seed}-{turn}")
    origin = Origin("bench", "payments", str(seed), turn)
    return [
        [Message(origin, body) for body in workload.bodies(size, source.getrandbits(60), end)]
        for _ in range(_BATCHES_AT_HAND)
    ]
