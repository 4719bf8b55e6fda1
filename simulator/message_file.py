"""Messages, or their bodies alone, in a file instead of an event hub.

Of messages each line is a JSON object that has ``partition_key``, ``events`` and the body as text
in ``body``; a body that is no UTF-8 stands as ``body_base64`` instead.
"""

import base64
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from simulator.errors import OutputFailed
from simulator.publisher import Progress, Sent
from simulator.simulation import Message


class _Line(msgspec.Struct, omit_defaults=True):
    partition_key: str
    events: int
    body: str | None = None
    body_base64: str | None = None


def write_messages(
    messages: Iterable[Message], path: Path, progress: Progress | None = None
) -> Sent:
    """Write every message as one line, and return what was written.

    Raises:
        OutputFailed: the file cannot be written.
    """
    return _write(
        messages, path, "--file", lambda message: msgspec.json.encode(_line(message)), progress
    )


def write_events(messages: Iterable[Message], path: Path, progress: Progress | None = None) -> Sent:
    """Write the body of every message as one line, and return what was written.

    Raises:
        OutputFailed: the file cannot be written.
    """
    # Only a body that is no JSON loses anything by having its line breaks taken out.
    return _write(
        messages, path, "--events", lambda message: b" ".join(message.body.splitlines()), progress
    )


def _write(
    messages: Iterable[Message],
    path: Path,
    option: str,
    line_of: Callable[[Message], bytes],
    progress: Progress | None,
) -> Sent:
    written = Sent(0, 0, 0)
    try:
        with path.open("wb") as file:
            for message in messages:
                line = line_of(message) + b"\n"
                file.write(line)
                written = Sent(
                    written.messages + 1,
                    written.events + message.events,
                    written.bytes + len(line),
                )
                if progress is not None:
                    progress(written)
    except OSError as error:
        msg = f"cannot write {path}: {error.strerror}; name another {option}"
        raise OutputFailed(msg) from error
    return written


def read_messages(path: Path) -> Iterator[Message]:
    """Yield the messages that ``write_messages`` has written.

    Raises:
        OutputFailed: the file cannot be read, or a line is not such a message.
    """
    try:
        with path.open("rb") as file:
            for number, text in enumerate(file, start=1):
                try:
                    line = msgspec.json.decode(text, type=_Line)
                    yield Message(line.partition_key, _body(line), line.events)
                except (msgspec.DecodeError, ValueError) as error:
                    msg = f"{path}, line {number} is no message: {error}"
                    raise OutputFailed(msg) from error
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}"
        raise OutputFailed(msg) from error


def _line(message: Message) -> _Line:
    try:
        text = message.body.decode()
    except UnicodeDecodeError:
        coded = base64.b64encode(message.body).decode()
        return _Line(message.partition_key, message.events, body_base64=coded)
    return _Line(message.partition_key, message.events, body=text)


def _body(line: _Line) -> bytes:
    if line.body is not None:
        return line.body.encode()
    return base64.b64decode(line.body_base64 or "", validate=True)
