"""``python -m local_azure.functions``: runs a project as ``func start`` does."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from local_azure.functions.console import say, set_up_logging
from local_azure.functions.errors import FunctionsError
from local_azure.functions.host import Ending, HostSwitches, run_host
from local_azure.functions.keys import KEYS_FILE, read_keys
from local_azure.functions.loading import load_functions
from local_azure.functions.project import Project, read_project
from local_azure.functions.worker import Worker

_EPILOG = """\
examples:
  python -m local_azure.functions                              the project in this folder
  python -m local_azure.functions --project app --port 0       another folder, a free port
  curl -X POST localhost:7071/admin/functions/NAME?wait=true -d '{"input": ""}'
                                                               run a function now
  curl localhost:7071/admin/host/status                        partitions, checkpoints, schedules

exit codes: 0 stopped by a signal; 1 the project or its functions cannot run; 2 wrong usage
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the host and return its exit code."""
    given = _parser().parse_args(arguments)
    root: Path = given.project.resolve()
    try:
        project = read_project(root, os.environ, given.settings)
        keys = read_keys(given.keys or root / KEYS_FILE) if given.enforce_keys else None
        switches = HostSwitches(
            address=given.host,
            port=_port(given.port, project),
            keys=keys,
            blob_interval=timedelta(seconds=given.blob_interval),
            grace=timedelta(seconds=given.grace),
        )
        os.environ.update(project.settings.own)
        os.environ.setdefault("AZURE_FUNCTIONS_ENVIRONMENT", "Development")
        _forget_current_folder(root)
        worker = Worker(root)
        set_up_logging(project.options, worker.running_function, verbose=given.verbose)
        worker.start()
        load_functions(project, worker, verbose=given.verbose)
        loop = asyncio.new_event_loop()
        ending = loop.run_until_complete(run_host(project, worker, switches))
    except FunctionsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return _end(ending, worker, loop)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local_azure.functions",
        description="Run a Python Azure Functions project of function.json folders here.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--project", type=Path, default=Path(), help="folder that holds host.json (this folder)"
    )
    parser.add_argument("--settings", type=Path, help="settings file (PROJECT/local.settings.json)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument(
        "--port", type=int, help="port to listen on, 0 for a free one (7071, or LocalHttpPort)"
    )
    parser.add_argument(
        "--enforce-keys",
        action="store_true",
        help="ask for keys as Azure does (off, as func start)",
    )
    parser.add_argument("--keys", type=Path, help=f"file of keys (PROJECT/{KEYS_FILE})")
    parser.add_argument(
        "--blob-interval",
        type=float,
        default=1.0,
        metavar="SECONDS",
        help="pause between polls of a blob trigger (1)",
    )
    parser.add_argument(
        "--grace",
        type=float,
        default=20.0,
        metavar="SECONDS",
        help="how long a stop waits for running functions (20)",
    )
    parser.add_argument("--verbose", action="store_true", help="log everything, Azure's SDKs too")
    return parser


def _port(given: int | None, project: Project) -> int:
    return given if given is not None else project.settings.http_port or 7071


def _forget_current_folder(root: Path) -> None:
    """Take the folder that ``python -m`` put first off the path, unless it is the project.

    The worker puts the project last; a module of the folder one happens to stand in must not win.
    """
    if sys.path and Path(sys.path[0]).resolve() == Path.cwd() != root:
        del sys.path[0]


def _end(ending: Ending, worker: Worker, loop: asyncio.AbstractEventLoop) -> int:
    say("Stopped.")
    if not ending.clean:
        # Threads of abandoned functions would keep the interpreter from ending.
        os._exit(ending.exit_code)
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    worker.stop()
    return ending.exit_code


if __name__ == "__main__":
    sys.exit(main())
