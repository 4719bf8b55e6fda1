"""One line of progress for people who watch."""

from typing import Final, TextIO

_CLEAR: Final = "\r\x1b[K"


class Progress:
    """Shows progress on a stream in place, if that is a terminal; what is said stays on any."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._watched = stream.isatty()

    def show(self, line: str) -> None:
        """Replace the line of progress."""
        if self._watched:
            self._stream.write(f"{_CLEAR}{line}")
            self._stream.flush()

    def clear(self) -> None:
        """Take the line of progress away."""
        if self._watched:
            self._stream.write(_CLEAR)
            self._stream.flush()

    def say(self, line: str) -> None:
        """Write a line that stays."""
        self.clear()
        self._stream.write(f"{line}\n")
        self._stream.flush()
