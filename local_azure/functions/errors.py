"""What can go wrong in the local function host, each error with its fields and its remedy."""

from collections.abc import Sequence
from pathlib import Path

from local_azure.errors import LocalAzureError
from local_azure.functions.findings import Finding


class FunctionsError(LocalAzureError):
    """Root of every error that the function host raises on purpose."""


class ProjectInvalid(FunctionsError):
    """The project's files hold mistakes; all of them are listed at once."""

    def __init__(self, root: Path, findings: Sequence[Finding]) -> None:
        self.root = root
        self.findings = tuple(findings)
        count = "1 mistake" if len(findings) == 1 else f"{len(findings)} mistakes"
        lines = "\n".join(f"  {number}. {finding}" for number, finding in enumerate(findings, 1))
        super().__init__(f"The project in {root} cannot start: {count}.\n{lines}")


class ExpressionUnresolved(FunctionsError):
    """A binding expression such as ``{name}`` has no value in this invocation."""

    def __init__(self, expression: str, template: str, available: Sequence[str]) -> None:
        self.expression = expression
        self.template = template
        self.available = tuple(sorted(available))
        names = ", ".join(f"{{{name}}}" for name in self.available) or "none"
        super().__init__(
            f"'{{{expression}}}' in '{template}' has no value here; this trigger offers: {names}"
        )


class WorkerMissing(FunctionsError):
    """Microsoft's worker runtime, or its protobuf modules, are not where they are expected."""


class FunctionLoadFailed(FunctionsError):
    """The worker refused a function: its code does not fit its function.json."""

    def __init__(self, function: str, message: str, stack_trace: str) -> None:
        self.function = function
        self.worker_message = message
        self.stack_trace = stack_trace
        super().__init__(f"{function}: {message}")


class KeysMissing(FunctionsError):
    """Keys are to be enforced, but there is no file of keys, or it cannot be read."""


class PortTaken(FunctionsError):
    """Another process listens where the host should."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        super().__init__(
            f"Port {port} on {host} is taken by another process; "
            "stop that process, or choose another port with --port (0 takes a free one)"
        )
