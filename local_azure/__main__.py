"""``python -m local_azure``: the parts of Azure that a function app needs, on this machine."""

import argparse
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape

from local_azure.commands import (
    delete,
    running_settings,
    things_to_delete,
    watch,
    with_connections,
)
from local_azure.config import DEFAULT_FILE, ConfigInvalid, LocalAzureConfig, Part, load_config
from local_azure.console import show
from local_azure.environment import LocalAzure
from local_azure.errors import LocalAzureError
from local_azure.services.azurite_install import install_azurite, pinned_package, wheel_node

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2

_EPILOG = """\
examples:
  python -m local_azure start                          everything, until Ctrl-C
  python -m local_azure start --no-host                without the function host
  python -m local_azure start --no-host --only postgresql
  python -m local_azure start --postgresql postgresql://me@my-server/payments
  python -m local_azure install                        fetch Azurite now rather than at the start
  python -m local_azure settings > local.settings.json
  python -m local_azure reset                          delete the data

exit codes: 0 done, or stopped by Ctrl-C; 1 something failed; 2 wrong usage or configuration
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code."""
    parser = _parser()
    given = parser.parse_args(arguments)
    errors = Console(stderr=True)
    try:
        config = _config(given)
        return _COMMANDS[given.command](config, given)
    except ConfigInvalid as error:
        errors.print(f"[red]{escape(str(error))}[/red]", soft_wrap=True, highlight=False)
        return EXIT_USAGE
    except LocalAzureError as error:
        lines = [str(error), *getattr(error, "__notes__", [])]
        errors.print(f"[red]{escape('\n'.join(lines))}[/red]", soft_wrap=True, highlight=False)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_OK


def _start(config: LocalAzureConfig, given: argparse.Namespace) -> int:
    # A polite end, as Ctrl-C: the parts are stopped in order.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console()
    with LocalAzure(config, only=given.only, say=console.print) as local:
        if given.host:
            console.print("Starting the function host ...")
            local.start_host()
        show(console, local, host=given.host)
        try:
            watch(local, _write, host=given.host)
        except KeyboardInterrupt:
            console.print("Stopping ...")
    return EXIT_OK


def _install(config: LocalAzureConfig, _given: argparse.Namespace) -> int:
    def say(line: str) -> None:
        _write(f"{line}\n")

    installed = install_azurite(config.cache_folder, wheel_node(), pinned_package(), say)
    say(f"Azurite is installed in {installed}")
    return EXIT_OK


def _settings(config: LocalAzureConfig, _given: argparse.Namespace) -> int:
    _write(running_settings(config))
    return EXIT_OK


def _reset(config: LocalAzureConfig, given: argparse.Namespace) -> int:
    things = things_to_delete(config, cache=given.cache)
    if not things:
        sys.stdout.write(f"Nothing to delete in {config.data_folder}\n")
        return EXIT_OK
    sys.stdout.write("".join(f"  {path}\n" for path in things))
    if not given.yes and not _agrees("Delete these for good? [y/N] "):
        sys.stdout.write("Nothing was deleted; --yes deletes without asking\n")
        return EXIT_FAILED
    delete(config, things)
    sys.stdout.write("Deleted\n")
    return EXIT_OK


_COMMANDS: Final[Mapping[str, Callable[[LocalAzureConfig, argparse.Namespace], int]]] = {
    "start": _start,
    "install": _install,
    "settings": _settings,
    "reset": _reset,
}


def _agrees(question: str) -> bool:
    try:
        return input(question).strip().lower() in {"y", "yes"}
    except EOFError:
        sys.stdout.write("\n")
        return False


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _config(given: argparse.Namespace) -> LocalAzureConfig:
    config = load_config(given.config)
    if given.data is not None:
        config = replace(config, data_folder=given.data.absolute())
    if given.command == "start":
        config = with_connections(config, {part: getattr(given, part) for part in Part})
        if given.port is not None:
            config = replace(config, functions=replace(config.functions, port=given.port))
    return config


def _parts(text: str) -> frozenset[Part]:
    try:
        return frozenset(Part(name.strip()) for name in text.split(","))
    except ValueError as error:
        reason = f"{error}; there are {', '.join(Part)}"
        raise argparse.ArgumentTypeError(reason) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m local_azure",
        description="Run the parts of Azure that a function app needs on this machine.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--config",
        type=Path,
        default=Path(DEFAULT_FILE),
        metavar="FILE",
        help="what there is (%(default)s)",
    )
    shared.add_argument(
        "--data", type=Path, metavar="DIR", help="data folder (the one that the file names)"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    start = commands.add_parser(
        "start", parents=[shared], help="start everything and run until Ctrl-C"
    )
    start.add_argument(
        "--only",
        type=_parts,
        metavar="PART,PART",
        help=f"start these parts alone, of {', '.join(Part)}",
    )
    start.add_argument(
        "--no-host", dest="host", action="store_false", help="do not start the function host"
    )
    start.add_argument(
        "--port", type=int, help="port of the function host, 0 for a free one (the file's)"
    )
    for part in Part:
        start.add_argument(
            f"--{part.replace('_', '-')}",
            metavar="CONNECTION_STRING",
            help=f"use this instead of starting {part}",
        )
    commands.add_parser(
        "install",
        parents=[shared],
        help="install what the first start would have to fetch, for example in CI",
    )
    commands.add_parser(
        "settings", parents=[shared], help="print the local.settings.json of what runs"
    )
    reset = commands.add_parser("reset", parents=[shared], help="delete the data, after asking")
    reset.add_argument("--yes", action="store_true", help="do not ask")
    reset.add_argument("--cache", action="store_true", help="delete installed packages as well")
    return parser


if __name__ == "__main__":
    sys.exit(main())
