"""A proxy between PostgreSQL's clients and its server that breaks connections where it is told to.

It reads as much of the protocol (PostgreSQL manual, "Message Formats") as it takes to know how many
bytes of COPY have passed, and which statement commits them.
"""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from types import TracebackType
from typing import Final, NamedTuple, Self
from urllib.parse import urlsplit

_CHUNK: Final = 65_536
_HEADER: Final = 5  # a letter and a length that counts itself
_ENCRYPTION_REQUESTS: Final = frozenset({80_877_103, 80_877_104})  # SSLRequest, GSSENCRequest
_QUERY: Final = ord("Q")
_COPY_DATA: Final = ord("d")
_COMMIT: Final = b"COMMIT"


class AtCommit(Enum):
    """What to do when rows that were copied are about to be committed."""

    LOSE_ANSWER = auto()
    """Commit, keep the answer, and cut."""

    CUT_CLIENT = auto()
    """Cut the client's side before the commit; the server never hears of it."""


class _Piece(NamedTuple):
    """A part of one message of a client; ``statement`` is the end of a query that is complete."""

    kind: int
    header: bytes
    payload: bytes
    statement: bytes = b""


class _Messages:
    """Cuts what a client sends into its messages, however it arrives."""

    def __init__(self) -> None:
        self._greeting = True
        self._header = b""
        self._kind = 0
        self._left = 0
        self._end = b""

    def feed(self, chunk: bytes) -> Iterator[_Piece]:
        """Yield the pieces of messages that a chunk consists of, in order."""
        while chunk:
            if self._left:
                payload, chunk = chunk[: self._left], chunk[self._left :]
                yield self._piece(b"", payload)
                continue
            # What opens a connection has no letter, and its kind behind the length.
            wanted = (8 if self._greeting else _HEADER) - len(self._header)
            self._header += chunk[:wanted]
            chunk = chunk[wanted:]
            if len(self._header) == (8 if self._greeting else _HEADER):
                header, self._header = self._header, b""
                yield self._begin(header)

    def _begin(self, header: bytes) -> _Piece:
        if self._greeting:
            length, code = struct.unpack("!II", header)
            self._greeting = code in _ENCRYPTION_REQUESTS
            self._kind, self._left = 0, length - len(header)
        else:
            self._kind = header[0]
            self._left = struct.unpack("!I", header[1:])[0] - 4
        self._end = b""
        return self._piece(header, b"")

    def _piece(self, header: bytes, payload: bytes) -> _Piece:
        self._left -= len(payload)
        if self._kind != _QUERY:
            return _Piece(self._kind, header, payload)
        self._end = (self._end + payload)[-32:]
        return _Piece(self._kind, header, payload, b"" if self._left else self._end)


class TcpProxy:
    """Forwards connections to a server, and breaks them.

    Args:
        url: of the server's database, by TCP.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        assert parts.port
        self._server = parts.hostname, parts.port
        self._listener = socket.create_server(("127.0.0.1", 0))
        user = f"{parts.username}@" if parts.username else ""
        port = self._listener.getsockname()[1]
        self.url = parts._replace(netloc=f"{user}127.0.0.1:{port}").geturl()
        self.struck = 0
        """How many connections were broken in the way that was asked for."""
        self.copied = 0
        """Bytes of COPY data that have passed."""
        self.answer_delay = 0.0
        """Seconds by which every answer of the server is late."""
        self._copy_left: int | None = None
        self._at_commit: AtCommit | None = None
        self._lock = threading.Lock()
        self._links: set[_Link] = set()
        self._accepting = threading.Thread(target=self._accept)

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # A listener that is closed wakes nobody who waits in accept, one that is shut down does.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        self.cut_all()

    def cut_copy_after(self, size: int) -> None:
        """Cut the connection over which the ``size``-th byte of COPY data from now on passes."""
        with self._lock:
            self._copy_left = size

    def break_next_commit(self, how: AtCommit) -> None:
        """Break the connection that next commits copied rows."""
        with self._lock:
            self._at_commit = how

    def cut_all(self) -> None:
        """Cut every connection."""
        with self._lock:
            links = list(self._links)
        for link in links:
            link.cut()

    def bytes_until_cut(self, size: int) -> int | None:
        """Take account of COPY data; return how many bytes of them may still pass, None for all."""
        with self._lock:
            self.copied += size
            if self._copy_left is None:
                return None
            if size < self._copy_left:
                self._copy_left -= size
                return None
            left, self._copy_left = self._copy_left, None
            self.struck += 1
            return left

    def take_commit(self) -> AtCommit | None:
        """Return what to do with this commit of copied rows."""
        with self._lock:
            taken, self._at_commit = self._at_commit, None
            self.struck += taken is not None
            return taken

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # shut down
                return
            try:
                server = socket.create_connection(self._server)
            except OSError:  # the server is away, and so is what stands before it
                client.close()
                continue
            link = _Link(self, client, server)
            with self._lock:
                self._links.add(link)
            for pump in (link.pump_statements, link.pump_answers):
                threading.Thread(target=pump, daemon=True).start()

    def forget(self, link: "_Link") -> None:
        """Keep a connection no longer that has ended."""
        with self._lock:
            self._links.discard(link)


class _Link:
    """One connection and its two directions, a thread each."""

    def __init__(self, proxy: TcpProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._copied = False
        self._breaking: AtCommit | None = None
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def cut(self) -> None:
        """End both sides at once, as a network does that is gone."""
        _reset(self._client)
        _reset(self._server)

    def pump_statements(self) -> None:
        """Forward what the client sends."""
        messages = _Messages()
        with self._until_either_ends(self._client) as chunks:
            for chunk in chunks:
                passing = b""
                for piece in messages.feed(chunk):
                    passing += piece.header
                    if piece.kind == _COPY_DATA and piece.payload:
                        self._copied = True
                        left = self._proxy.bytes_until_cut(len(piece.payload))
                        if left is not None:
                            self._server.sendall(passing + piece.payload[:left])
                            return
                    elif piece.statement.strip(b"\0; \n").upper().endswith(_COMMIT):
                        self._breaking = self._proxy.take_commit() if self._copied else None
                        self._copied = False
                        if self._breaking is AtCommit.CUT_CLIENT:
                            return
                    passing += piece.payload
                self._server.sendall(passing)

    def pump_answers(self) -> None:
        """Forward what the server answers, unless that is to be lost."""
        pause = threading.Event()
        with self._until_either_ends(self._server) as chunks:
            for chunk in chunks:
                if self._breaking is AtCommit.LOSE_ANSWER:
                    return
                pause.wait(self._proxy.answer_delay)
                self._client.sendall(chunk)

    @contextmanager
    def _until_either_ends(self, source: socket.socket) -> Iterator[Iterator[bytes]]:
        """Give what arrives; whatever ends one direction ends the connection."""

        def chunks() -> Iterator[bytes]:
            while chunk := source.recv(_CHUNK):
                yield chunk

        try:
            with suppress(OSError):  # either side may go at any time: that is what this is for
                yield chunks()
        finally:
            if self._breaking is AtCommit.CUT_CLIENT:
                _reset(self._client)
            else:
                self.cut()
                self._proxy.forget(self)
            source.close()


def _reset(end: socket.socket) -> None:
    """End a connection with the reset that a peer sends who knows nothing of it."""
    with suppress(OSError):  # it has ended already
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
