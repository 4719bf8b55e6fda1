"""Messages and events as lines of JSON.

Of messages each line is a JSON object that has ``partition_key``, ``events``, the body as text in
``body``, and ``at`` if it is known; a body that is no UTF-8 stands as ``body_base64`` instead.
"""

import base64
from collections.abc import Sequence
from typing import Final

import msgspec

from simulator.message import Message


class _Line(msgspec.Struct, omit_defaults=True):
    partition_key: str
    events: int
    at: int = 0
    body: str | None = None
    body_base64: str | None = None


_LINE: Final = msgspec.json.Decoder(_Line)
_ARRAY: Final = msgspec.json.Decoder(list[msgspec.Raw])


def encode_message(message: Message) -> bytes:
    """Return a message as one line, without the line's end."""
    line = _Line(message.partition_key, message.events, message.at)
    try:
        line.body = message.body.decode()
    except UnicodeDecodeError:
        line.body_base64 = base64.b64encode(message.body).decode()
    return msgspec.json.encode(line)


def decode_message(text: bytes) -> Message:
    """Return the message that ``encode_message`` has encoded.

    Raises:
        ValueError: it is no such line.
    """
    line = _LINE.decode(text)
    if line.body is not None:
        body = line.body.encode()
    else:
        body = base64.b64decode(line.body_base64 or "", validate=True)
    return Message(line.partition_key, body, line.events, line.at)


def event_lines(body: bytes) -> Sequence[bytes]:
    """Return the events in a message's body, each as one line.

    An array is taken apart only if it holds objects and nothing else: taken out of its array,
    any other element would be refused for another reason than within.
    """
    if body.startswith(b"["):
        try:
            elements = [bytes(raw) for raw in _ARRAY.decode(body)]
        except (ValueError, RecursionError):
            elements = []
        if elements and all(element.startswith(b"{") for element in elements):
            return [_one_line(element) for element in elements]
    return [_one_line(body)]


def _one_line(text: bytes) -> bytes:
    # Only what is no JSON loses anything by having its line breaks taken out.
    return b" ".join(text.splitlines())
