"""TCP ports on 127.0.0.1 for services that are about to start."""

import random
import socket
import threading

from local_azure.services.errors import PortTaken, ServiceError

LOOPBACK = "127.0.0.1"

# Below the range from which systems take the local port of an outgoing connection (Linux from
# 32768, macOS and Windows from 49152): such a connection could take a chosen port before the
# server does, or while it is down; a client that keeps dialling a port of that range may even
# connect to itself.
_FIRST = 20000
_LAST = 32767
_ATTEMPTS = 200

_handed_out: set[int] = set()
_handing_out = threading.Lock()


def free_port() -> int:
    """Choose a free port, never the same twice in one process.

    Returns:
        A TCP port on 127.0.0.1 that nothing listened on a moment ago. Ports are drawn at random
        from some 12,000, so that two programs that choose at the same time rarely meet.

    Raises:
        ServiceError: No free port was found.
    """
    draw = random.SystemRandom()
    with _handing_out:
        for _ in range(_ATTEMPTS):
            port = draw.randint(_FIRST, _LAST)
            if port not in _handed_out and _can_bind(port):
                _handed_out.add(port)
                return port
    raise ServiceError(
        "ports", f"found no free port on {LOOPBACK} between {_FIRST} and {_LAST}. Name one instead."
    )


def claim_port(service: str, port: int) -> int:
    """Turn a configured port into the one to listen on.

    Args:
        service: Name of the service, for the error.
        port: The port to use, or 0 for any free one.

    Returns:
        A port that was free a moment ago.

    Raises:
        PortTaken: The port is fixed and something listens there.
    """
    if port == 0:
        return free_port()
    if not _can_bind(port):
        raise PortTaken(service, port)
    return port


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: connections that linger after a restart do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
