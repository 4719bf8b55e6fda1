"""What can go wrong with a local service, and what to do about it."""

from pathlib import Path

from local_azure.errors import LocalAzureError

_LINES_SHOWN = 15


class ServiceError(LocalAzureError):
    """The root of everything that goes wrong with a local service.

    Attributes:
        service: Name of the service, such as ``PostgreSQL``.
    """

    def __init__(self, service: str, message: str) -> None:
        super().__init__(f"{service}: {message}")
        self.service = service


class ServiceFailed(ServiceError):
    """A service did not become ready, or ended when it should have run.

    Attributes:
        log: The file that holds everything the service said.
    """

    def __init__(self, service: str, reason: str, log: Path, said: str) -> None:
        tail = "\n".join(f"    {line}" for line in said.splitlines()[-_LINES_SHOWN:])
        super().__init__(
            service, f"{reason}. Its log is {log}; the end of it:\n{tail or '    (nothing)'}"
        )
        self.log = log


class PortTaken(ServiceError):
    """A port that was asked for is in use.

    Attributes:
        port: The TCP port on 127.0.0.1.
    """

    def __init__(self, service: str, port: int) -> None:
        super().__init__(
            service,
            f"port {port} on 127.0.0.1 is already in use. Stop what listens there "
            f"(`ss -ltnp 'sport = :{port}'` names it), choose another port, "
            "or choose 0 for any free one.",
        )
        self.port = port


class FolderInUse(ServiceError):
    """Another running program keeps its data in the same folder.

    Attributes:
        folder: The data folder of the service.
        holder: What the other program wrote about itself, such as ``process 4711``.
    """

    def __init__(self, service: str, folder: Path, holder: str) -> None:
        super().__init__(
            service,
            f"{folder} is in use by {holder or 'another process'}. Stop that one first, "
            "or give this one another data folder.",
        )
        self.folder = folder
        self.holder = holder


class ServiceMissing(ServiceError):
    """A program that the service consists of is not installed or cannot be used here."""
