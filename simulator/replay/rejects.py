"""Bad rows, kept for whoever has to mend them, without card numbers and e-mail addresses."""

import re
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from shared_code.domain.redaction import redact
from simulator.errors import OutputFailed
from simulator.replay.rows import BadRow, Cell, text_of

_DIGITS: Final = re.compile("[0-9](?:[ -]?[0-9]){11,18}")
_MOST_DETAIL: Final = 500
_ENCODER: Final = msgspec.json.Encoder()


class Redactor:
    """Takes out of rows what may not be kept.

    What looks like a card number is masked everywhere; in columns that hold card numbers, all long
    numbers are, wrong check digits or not.
    """

    def __init__(self, card_columns: Collection[str] = ()) -> None:
        self._card_columns = frozenset(card_columns)

    def detail(self, text: str) -> str:
        """Return a message fit for showing."""
        found = self._suspicious(text) if self._card_columns else redact(text)
        return found[:_MOST_DETAIL]

    def content(self, bad: BadRow) -> Any:
        """Return what could be read of a bad row, as values of JSON."""
        if isinstance(bad.content, str):
            return self.detail(bad.content)
        if isinstance(bad.content, list):
            return [self.detail(cell) for cell in bad.content]
        return {redact(name): self._cell(name, cell) for name, cell in bad.content.items()}

    def _cell(self, name: str, cell: Cell) -> str | None:
        if cell is None:
            return None
        text = text_of(cell)
        return self._suspicious(text) if name in self._card_columns else redact(text)

    @staticmethod
    def _suspicious(text: str) -> str:
        return _DIGITS.sub(_masked, redact(text))


def _masked(digits: re.Match[str]) -> str:
    found = re.sub("[ -]", "", digits[0])
    return f"{found[:6]}{'*' * (len(found) - 10)}{found[-4:]}"


class RejectFile:
    """A file of one JSON object a line: file, line, reason, detail, row."""

    def __init__(self, path: Path, redactor: Redactor) -> None:
        """Begin an empty file.

        Raises:
            OutputFailed: it cannot be written.
        """
        self.path = path
        self._redactor = redactor
        try:
            self._file = path.open("wb")
        except OSError as error:
            raise self._failed(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._file.close()
        except OSError as failure:
            raise self._failed(failure) from failure

    def write(self, source: Path, bad: BadRow) -> None:
        """Add one bad row.

        Raises:
            OutputFailed: it cannot be written.
        """
        line = {
            "file": source.name,
            "line": bad.number,
            "reason": bad.reason,
            "detail": self._redactor.detail(bad.detail),
            "row": self._redactor.content(bad),
        }
        try:
            self._file.write(_ENCODER.encode(line) + b"\n")
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> OutputFailed:
        return OutputFailed(f"cannot write {self.path}: {error.strerror}; name another --rejects")
