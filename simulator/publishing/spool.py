"""Keeps messages that were taken but not acknowledged, until the next run sends them.

A spool is a folder for one event hub. Each run that fails leaves a file in it, of lines as in a
file of messages, compressed, complete or not there; files are sent in the order of their names.
What a crash leaves of a file that was being written is sent, too, as far as it goes.
"""

import fcntl
import gzip
import hashlib
import logging
import os
import re
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, Self

from simulator.errors import OutputFailed
from simulator.message import Message
from simulator.publishing.errors import SpoolFailed
from simulator.publishing.lines import decode_message, encode_message
from simulator.publishing.protocol import Publisher, Sent

DEFAULT_FOLDER: Final = Path(".simulator-spool")

_LOGGER: Final = logging.getLogger(__name__)
_FILE: Final = re.compile(r"(\d{8})-[0-9a-f]{8}\.jsonl\.gz(\.unfinished|\.damaged)?")
_UNFINISHED: Final = ".unfinished"
_DAMAGED: Final = ".damaged"


class Kept(NamedTuple):
    """What was spooled, and where."""

    path: Path
    messages: int
    events: int


class Spool:
    """The messages that wait for one event hub."""

    def __init__(self, folder: Path, say: Callable[[str], None] = _LOGGER.warning) -> None:
        """Name a folder; it is made when it is needed.

        Args:
            folder: of this event hub and of no other.
            say: told what was sent late, and what was found damaged.
        """
        self.folder = folder
        self._say = say

    @classmethod
    def of(
        cls, root: Path, host: str, event_hub: str, say: Callable[[str], None] = _LOGGER.warning
    ) -> Self:
        """Return the spool of an event hub, in a folder of its own below ``root``."""
        place = f"{host.lower()}/{event_hub.lower()}".encode()
        digest = hashlib.blake2b(place, digest_size=8).hexdigest()
        readable = re.sub(r"[^a-z0-9_-]", "_", event_hub.lower())[:40]
        return cls(root / f"{readable}-{digest}", say)

    def keep(self, messages: Iterable[Message]) -> Kept | None:
        """Write messages to a new file, and return what was written; None if there are none.

        When this returns, the file is on the disk; until then it has another name.

        Raises:
            SpoolFailed: it cannot be written; the message says how many events are in danger.
        """
        counted = _Counted(messages)
        first = next(counted, None)
        if first is None:
            return None
        try:
            path = self._write(first, counted)
        except OSError as error:
            if isinstance(messages, Sequence):
                counted.exhaust()
            msg = (
                f"cannot spool to {self.folder}: {error.strerror or error}; {counted.events} "
                f"events in {counted.messages} messages are in danger: they were not "
                "acknowledged, and this process is about to end. Make room or name another "
                "--spool, and run the same simulation again"
            )
            raise SpoolFailed(msg) from error
        return Kept(path, counted.messages, counted.events)

    def drain(self, publisher: Publisher) -> Sent:
        """Send what earlier runs left, in order, and return what was sent.

        A file is deleted when all of it was acknowledged: a crash before repeats it. One with a
        damaged end is kept under another name.

        Raises:
            OutputFailed: a file cannot be read.
            SimulatorError: what the publisher raises; nothing is deleted then.
        """
        before = Sent.by(publisher.counters)
        for path in self._waiting():
            since = Sent.by(publisher.counters)
            damage: list[str] = []
            for message in _read(path, damage.append):
                publisher.send(message)
            publisher.flush()
            sent = Sent.by(publisher.counters, since)
            self._say(f"sent {sent.events} events in {sent.messages} messages spooled in {path}")
            if damage:
                damaged = path.with_name(path.name.removesuffix(_UNFINISHED) + _DAMAGED)
                path.replace(damaged)
                self._say(f"{path} {damage[0]}; all before was sent, the rest is in {damaged}")
            else:
                path.unlink(missing_ok=True)
            _to_disk(self.folder)
        return Sent.by(publisher.counters, before)

    def _write(self, first: Message, rest: Iterable[Message]) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"{self._next_number():08d}-{uuid.uuid4().hex[:8]}.jsonl.gz"
        path = self.folder / name
        nameless = self.folder / f".{name}"
        unfinished = self.folder / f"{name}{_UNFINISHED}"
        with nameless.open("xb") as raw:
            # Only what is locked has a name by which another run may find it.
            fcntl.flock(raw, fcntl.LOCK_EX)
            nameless.rename(unfinished)
            with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as zipped:
                zipped.write(encode_message(first) + b"\n")
                for message in rest:
                    zipped.write(encode_message(message) + b"\n")
            raw.flush()
            os.fsync(raw.fileno())
            unfinished.rename(path)
        _to_disk(self.folder)
        return path

    def _next_number(self) -> int:
        found = [_FILE.fullmatch(path.name) for path in self.folder.iterdir()]
        return 1 + max((int(match[1]) for match in found if match), default=0)

    def _waiting(self) -> Iterator[Path]:
        """Yield the files to send, in order; those that are being written now are left out."""
        if not self.folder.is_dir():
            return
        for path in sorted(self.folder.iterdir()):
            match = _FILE.fullmatch(path.name)
            if match is None or match[2] == _DAMAGED:
                continue
            if match[2] == _UNFINISHED and not _abandoned(path):
                continue
            yield path


class _Counted:
    """Iterates messages, and knows how many there were."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self._messages = iter(messages)
        self.messages = 0
        self.events = 0

    def __iter__(self) -> Iterator[Message]:
        return self

    def __next__(self) -> Message:
        message = next(self._messages)
        self.messages += 1
        self.events += message.events
        return message

    def exhaust(self) -> None:
        """Count those that were not taken."""
        for _ in self:
            pass


def _abandoned(path: Path) -> bool:
    """Tell whether a crash left a file unfinished, rather than someone writing it now."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            # Finished between being listed and being locked?
            return path.exists()
    except (BlockingIOError, FileNotFoundError):
        return False


def _read(path: Path, damaged: Callable[[str], None]) -> Iterator[Message]:
    """Yield the messages of a file; a damaged end is told, and ends it.

    Raises:
        OutputFailed: it cannot be read, or is damaged in the middle.
    """
    with _named(path), gzip.open(path, "rb") as file:
        if path.suffix == _UNFINISHED:
            damaged("was not finished")
        wrong: ValueError | None = None
        number = 0
        for number, text in enumerate(_whole_lines(file, damaged), start=1):
            if wrong is not None:
                msg = f"{path}, line {number - 1} is no message: {wrong}; move the file away"
                raise OutputFailed(msg)
            try:
                message = decode_message(text)
            except ValueError as error:
                wrong = error
            else:
                yield message
        if wrong is not None:
            damaged(f"ends in the middle of line {number}")


def _whole_lines(file: gzip.GzipFile, damaged: Callable[[str], None]) -> Iterator[bytes]:
    """Yield lines as far as they can be unpacked."""
    try:
        yield from file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        damaged(f"cannot be unpacked to its end: {error}")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        msg = f"cannot read what was spooled in {path}: {error.strerror or error}"
        raise OutputFailed(msg) from error


def _to_disk(folder: Path) -> None:
    """Put the names in a folder on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
