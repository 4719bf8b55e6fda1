"""Event Hubs as a process: ``python -m local_azure.event_hubs --hub payments:4:metrics ...``."""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from local_azure.event_hubs.config import EventHubsConfig, parse_config, parse_hub_argument
from local_azure.event_hubs.errors import EventHubsConfigError, EventHubsError
from local_azure.event_hubs.server import DEFAULT_HOST, EventHubsServer

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2

_DESCRIPTION = """\
A local Event Hubs for the azure-eventhub SDK (AMQP 1.0, no TLS). When it is ready it prints one
line, its connection string. SIGTERM or SIGINT stops it; every event that was acknowledged is on
the disk before, also when it is killed."""

_EPILOG = """\
The configuration file is YAML:
  hubs:
    payments:
      partitions: 4
      consumer_groups: [metrics]
      retention_hours: 24

exit codes: 0 stopped, 1 the port or the data folder cannot be used, 2 wrong usage or configuration
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server until it is told to stop; give the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    try:
        config = _config(options.config, options.hub)
    except EventHubsConfigError as error:
        for problem in error.problems:
            _say(f"wrong configuration: {problem}")
        return EXIT_USAGE
    try:
        asyncio.run(_serve(config, options.data, options.host, options.port))
    except (EventHubsError, OSError) as error:
        _say(f"cannot serve: {error}")
        return EXIT_FAILED
    return EXIT_OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m local_azure.event_hubs",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    hubs = parser.add_mutually_exclusive_group(required=True)
    hubs.add_argument("--config", type=Path, metavar="FILE", help="configuration of the hubs, YAML")
    hubs.add_argument(
        "--hub",
        action="append",
        metavar="NAME[:PARTITIONS[:GROUP,GROUP]]",
        help="a hub, such as payments:4:metrics; may be given several times",
    )
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="folder in which events are kept"
    )
    parser.add_argument("--host", default=DEFAULT_HOST, help="address to listen on (%(default)s)")
    parser.add_argument(
        "--port", type=_port, default=0, help="port to listen on; 0, the default, takes a free one"
    )
    parser.add_argument(
        "--log-level",
        choices=("debug", "info", "warning", "error"),
        default="warning",
        help="what to log on stderr (%(default)s)",
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        msg = f"a port is a number from 0 to 65535, not {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _config(path: Path | None, hubs: Sequence[str] | None) -> EventHubsConfig:
    if path is None:
        described = [parse_hub_argument(hub) for hub in hubs or ()]
        names = [hub.name.lower() for hub in described]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise EventHubsConfigError([f"--hub {name}: is there twice" for name in twice])
        return EventHubsConfig(tuple(described))
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise EventHubsConfigError([f"{path} cannot be read as YAML: {error}"]) from error
    return parse_config(document)


async def _serve(config: EventHubsConfig, data: Path, host: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with EventHubsServer(config, data, host, port) as server:
        sys.stdout.write(f"{server.connection_string}\n")
        sys.stdout.flush()
        await stop.wait()


def _say(message: str) -> None:
    sys.stderr.write(f"{message}\n")


if __name__ == "__main__":
    sys.exit(main())
