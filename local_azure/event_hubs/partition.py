"""A partition at work: group commit of what is published, and news for those who receive."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from local_azure.event_hubs.events import Event
from local_azure.event_hubs.log.partition_log import PartitionLog
from local_azure.event_hubs.log.records import LogEnd

_LOGGER = logging.getLogger(__name__)

type OnStored = Callable[[str | None], None]
"""Called when events are on the disk, or with a sentence that says why they are not."""


@dataclass(frozen=True, slots=True)
class _Submission:
    events: Sequence[Event]
    on_stored: OnStored


class Partition:
    """Owns a log: one task writes to it, and only acknowledged events are ever shown.

    Whatever arrives while the disk is busy shares the next fsync, so that the wait of one does
    not add to that of another.

    Attributes:
        hub: The hub's name.
        number: 0 to the hub's partitions less one.
        log: The log; read it up to ``end`` only.
        end: Where the acknowledged part of the log ends.
    """

    def __init__(
        self,
        hub: str,
        number: int,
        log: PartitionLog,
        *,
        executor: Executor,
        now_ms: Callable[[], int],
    ) -> None:
        self.hub = hub
        self.number = number
        self.log = log
        self.end: LogEnd = log.end
        self._executor = executor
        self._now_ms = now_ms
        self._pending: list[_Submission] = []
        self._work = asyncio.Event()
        self._disk = asyncio.Lock()
        self._listeners: set[Callable[[], None]] = set()
        self._broken: str | None = None
        self._closing = False
        self._task = asyncio.create_task(self._commit_until_closed())

    @property
    def partition_id(self) -> str:
        """The partition's name on the wire."""
        return str(self.number)

    def submit(self, events: Sequence[Event], on_stored: OnStored) -> None:
        """Store events together and in order; ``on_stored`` is called from the event loop."""
        self._pending.append(_Submission(events, on_stored))
        self._work.set()

    def listen(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called whenever there are new events."""
        self._listeners.add(listener)

    def unlisten(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` no more."""
        self._listeners.discard(listener)

    def read(self, sequence: int, max_events: int, max_bytes: int) -> tuple[int, list[memoryview]]:
        """Read acknowledged events; see ``PartitionLog.read``.

        Raises:
            OSError: A file cannot be read.
        """
        return self.log.read(sequence, self.end.next_sequence, max_events, max_bytes)

    async def drop_expired(self) -> None:
        """Drop what is past retention; a disk that refuses is logged and asked again later."""
        async with self._disk:
            try:
                dropped = self.log.drop_expired(self._now_ms())
            except OSError:
                _LOGGER.exception("retention failed in %s/%s", self.hub, self.number)
                return
        if dropped:
            _LOGGER.info("%s/%s: dropped %d expired files", self.hub, self.number, dropped)

    async def close(self) -> None:
        """Store what is pending and close the files."""
        self._closing = True
        self._work.set()
        await self._task
        self.log.close()

    async def _commit_until_closed(self) -> None:
        while not self._closing or self._pending:
            await self._work.wait()
            self._work.clear()
            submissions, self._pending = self._pending, []
            if submissions:
                problem = await self._store(submissions)
                for submission in submissions:
                    submission.on_stored(problem)
                for listener in tuple(self._listeners):
                    listener()

    async def _store(self, submissions: list[_Submission]) -> str | None:
        if self._broken is not None:
            return self._broken
        events = [event.encode for submission in submissions for event in submission.events]
        async with self._disk:
            try:
                self.log.append(events, self._now_ms())
            except OSError as error:
                _LOGGER.exception("cannot write to the log of %s/%s", self.hub, self.number)
                return f"The event cannot be stored: {error.strerror or error}."
            try:
                await asyncio.get_running_loop().run_in_executor(self._executor, self.log.sync)
            except OSError as error:
                # After a failed fsync nobody knows what the disk holds; only a restart tells.
                _LOGGER.exception("cannot sync the log of %s/%s", self.hub, self.number)
                self._broken = (
                    f"Partition {self.number} of {self.hub} takes no more events since the disk "
                    f"failed ({error.strerror or error}); restart Event Hubs."
                )
                return self._broken
        self.end = self.log.end
        return None
