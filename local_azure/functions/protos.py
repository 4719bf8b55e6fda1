"""Finds Microsoft's worker runtime and its generated protobuf modules.

The wheel ``azure-functions-runtime-v1`` installs the modules under a top-level package ``tests``,
which any project's own ``tests`` would shadow; and that package's ``__init__`` wants gRPC, which is
not needed here. So they are loaded by path, under a name of their own. They are generated and
untyped: ``Any`` is confined to this module and to ``worker``.
"""

import importlib
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import ModuleType
from typing import Any

from local_azure.functions.errors import WorkerMissing

_DISTRIBUTION = "azure-functions-runtime-v1"
_RUNTIME = "azure_functions_runtime_v1"
_MESSAGES = "tests/protos/FunctionRpc_pb2.py"
_NULLABLE = ("NullableString", "NullableBool", "NullableDouble", "NullableTimestamp")
_PACKAGE = "_azure_functions_rpc"
_PIN = "azure-functions-runtime-v1==1.2.0"


@dataclass(frozen=True, slots=True)
class WorkerModules:
    """The runtime's handlers, and the protobuf messages that they speak."""

    runtime: Any
    messages: Any


def load_worker_modules() -> WorkerModules:
    """Import the runtime and its messages.

    Raises:
        WorkerMissing: the wheel is absent, or its layout has moved.
    """
    messages = _load_messages(_messages_folder())
    try:
        runtime = importlib.import_module(_RUNTIME)
    except ImportError as error:
        msg = f"{_RUNTIME} cannot be imported ({error}); install {_PIN} on Python 3.13"
        raise WorkerMissing(msg) from error
    return WorkerModules(runtime, messages)


def _messages_folder() -> Path:
    try:
        wheel = distribution(_DISTRIBUTION)
    except PackageNotFoundError as error:
        msg = f"{_DISTRIBUTION} is not installed; run pip install -r requirements-local.txt"
        raise WorkerMissing(msg) from error
    for file in wheel.files or ():
        if file.as_posix() == _MESSAGES:
            folder = Path(str(wheel.locate_file(file))).parent
            if (folder / "FunctionRpc_pb2.py").is_file():
                return folder
    msg = (
        f"{_DISTRIBUTION} {wheel.version} has no {_MESSAGES}: its layout has moved. "
        f"Install the version this host was written for: {_PIN}"
    )
    raise WorkerMissing(msg)


def _load_messages(folder: Path) -> Any:
    if _PACKAGE not in sys.modules:
        package = ModuleType(_PACKAGE)
        package.__path__ = [str(folder)]
        sys.modules[_PACKAGE] = package
    try:
        rpc: Any = importlib.import_module(f"{_PACKAGE}.FunctionRpc_pb2")
        nullable: Any = importlib.import_module(f"{_PACKAGE}.shared.NullableTypes_pb2")
    except (ImportError, TypeError) as error:
        msg = f"Microsoft's protobuf modules do not load ({error}); install protobuf==7.36.2"
        raise WorkerMissing(msg) from error
    # The runtime expects one module that holds both, as the wheel's own package would.
    for name in _NULLABLE:
        setattr(rpc, name, getattr(nullable, name))
    return rpc
