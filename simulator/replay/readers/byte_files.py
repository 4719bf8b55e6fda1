"""Files as bytes, packed by gzip or not, with how far reading has come."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import GzipFile
from io import BufferedReader, FileIO
from pathlib import Path
from typing import IO, Final, NamedTuple, Self, cast

from simulator.replay.errors import UnreadableData

GZIP_MAGIC: Final = b"\x1f\x8b"
_BUFFER: Final = 1 << 18


class Line(NamedTuple):
    """A line of a text file; ``whole`` is false if it was too long and its end is cut off."""

    number: int
    text: bytes
    whole: bool


class ByteFile:
    """A file that is read once, from its beginning."""

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises:
            UnreadableData: it cannot be opened.
        """
        self.path = path
        with reading(path):
            self._file = BufferedReader(FileIO(path), _BUFFER)
            packed = self._file.peek(2)[:2] == GZIP_MAGIC
            opened = GzipFile(fileobj=self._file) if packed else self._file
            self.stream = cast("IO[bytes]", opened)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.stream.close()
        self._file.close()

    @property
    def bytes_read(self) -> int:
        """Bytes of the file, not of its unpacked content, that have been read."""
        return self._file.tell()

    def head(self, size: int) -> bytes:
        """Return up to ``size`` unpacked bytes from the beginning, which are read again later."""
        with reading(self.path):
            found = self.stream.read(size)
            self.stream.seek(0)
        return found


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn every way in which a file can be damaged or absent into one error.

    Raises:
        UnreadableData: the file cannot be opened or unpacked.
    """
    try:
        yield
    except OSError as error:
        raise UnreadableData(path, error.strerror or str(error)) from error
    except (EOFError, zlib.error) as error:
        raise UnreadableData(path, f"it is damaged: {error}") from error


def limited_lines(file: ByteFile, longest: int) -> Iterator[Line]:
    """Yield the lines of a file, however long they are, in constant memory.

    Raises:
        UnreadableData: the file is damaged.
    """
    number = 0
    with reading(file.path):
        while text := file.stream.readline(longest):
            number += 1
            whole = len(text) < longest or text.endswith(b"\n")
            yield Line(number, text, whole)
            rest = text
            while not whole and rest and not rest.endswith(b"\n"):
                rest = file.stream.readline(longest)
