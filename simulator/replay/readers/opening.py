"""Opens a file of payments by its kind."""

from pathlib import Path
from typing import Final

from simulator.replay.mapping import FileFormat, FileType
from simulator.replay.readers.byte_files import ByteFile
from simulator.replay.readers.capture_rows import CapturedRows
from simulator.replay.readers.csv_rows import CsvRows
from simulator.replay.readers.json_rows import JsonRows
from simulator.replay.readers.parquet_rows import ParquetRows
from simulator.replay.rows import RowSource

_BY_CONTENT: Final[tuple[tuple[bytes, FileType], ...]] = (
    (b"PAR1", "parquet"),
    (b"Obj\x01", "capture"),
)
_BOM: Final = "\ufeff".encode()


def file_type(path: Path) -> FileType:
    """Return the kind of a file by its first bytes, whatever it is called.

    Raises:
        UnreadableData: it cannot be opened.
    """
    with ByteFile(path) as file:
        head = file.head(1024)
    for magic, kind in _BY_CONTENT:
        if head.startswith(magic):
            return kind
    return "jsonl" if head.removeprefix(_BOM).lstrip().startswith(b"{") else "csv"


def open_rows(path: Path, file_format: FileFormat) -> RowSource:
    """Open a file of payments for reading it once.

    Raises:
        UnreadableData: it cannot be opened, or is not of its kind.
        MissingLibrary: its kind needs a library that is not installed.
    """
    match file_format.type or file_type(path):
        case "csv":
            return CsvRows(path, file_format)
        case "jsonl":
            return JsonRows(path)
        case "parquet":
            return ParquetRows(path)
        case "capture":
            return CapturedRows(path)
