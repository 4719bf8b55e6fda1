"""Where a command sends its messages."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from simulator.cli.argument_types import positive
from simulator.cli.errors import ArgumentsRefused
from simulator.publishing.connection import (
    CONNECTION_SETTING,
    DEFAULT_EVENT_HUB,
    NAMESPACE_SETTING,
    ProducerSettings,
)
from simulator.publishing.event_hubs import EventHubsPublisher
from simulator.publishing.files import event_file, message_file
from simulator.publishing.kafka import KafkaPublisher
from simulator.publishing.kafka_settings import KafkaSettings
from simulator.publishing.protocol import Publisher
from simulator.publishing.spool import DEFAULT_FOLDER, Spool
from simulator.publishing.stdout import StdoutPublisher

ENVIRONMENT: Final = f"""\
environment:
  {CONNECTION_SETTING}
      a connection string with the right to send
  {NAMESPACE_SETTING}
      a host name instead: you are signed in by azure-identity (az login, managed identity, ...)
"""


class Destination(NamedTuple):
    """Where messages go; ``name`` says it to people. Only event hubs have a spool."""

    publisher: Publisher
    name: str
    spool: Spool | None = None


def add_destination(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose where messages go."""
    where = parser.add_argument_group("where to")
    target = where.add_mutually_exclusive_group()
    target.add_argument(
        "--connection-string",
        metavar="TEXT",
        help=f"of the Event Hubs namespace (default: ${CONNECTION_SETTING}, which keeps the key "
        "out of the list of processes)",
    )
    target.add_argument(
        "--bootstrap",
        metavar="SERVERS",
        help="a Kafka cluster of your own, host:port,..., without signing in",
    )
    target.add_argument(
        "--file",
        type=Path,
        metavar="OUT",
        help="write messages to a file: .jsonl, .jsonl.gz or .parquet",
    )
    target.add_argument(
        "--events",
        type=Path,
        metavar="OUT",
        help="write payment events alone, as 'rules test' reads them: .jsonl or .jsonl.gz",
    )
    target.add_argument("--stdout", action="store_true", help="write payment events to the pipe")
    where.add_argument(
        "--kafka", action="store_true", help="use the Kafka endpoint of Event Hubs (port 9093)"
    )
    where.add_argument(
        "--event-hub",
        metavar="NAME",
        help=f"or topic; default: the connection string's EntityPath, else {DEFAULT_EVENT_HUB}",
    )
    where.add_argument(
        "--rate", type=positive, metavar="N", help="send at most so many events a second"
    )
    where.add_argument(
        "--spool",
        type=Path,
        metavar="FOLDER",
        default=DEFAULT_FOLDER,
        help="what could not be sent waits here for the next run (default: %(default)s)",
    )


def destination(options: argparse.Namespace, say: Callable[[str], None]) -> Destination:
    """Return where the options send messages.

    Raises:
        InvalidConnection: nothing says where to send, or the connection string is no such.
        OutputFailed: a file's name says that it cannot hold what is asked for.
        ArgumentsRefused: options about an event hub, but messages go elsewhere.
    """
    if options.stdout or options.file is not None or options.events is not None:
        _refuse_event_hub(options)
    if options.stdout:
        return Destination(StdoutPublisher(), "standard output")
    if options.file is not None:
        return Destination(message_file(options.file), str(options.file))
    if options.events is not None:
        return Destination(event_file(options.events), str(options.events))
    if options.bootstrap is not None:
        topic = options.event_hub or DEFAULT_EVENT_HUB
        settings = KafkaSettings(bootstrap=options.bootstrap, topic=topic)
        spool = Spool.of(options.spool, options.bootstrap, topic, say)
        return Destination(KafkaPublisher(settings), settings.where, spool)
    connection = ProducerSettings.of(
        os.environ, connection_string=options.connection_string, event_hub=options.event_hub
    )
    spool = Spool.of(options.spool, connection.address, connection.event_hub, say)
    if options.kafka:
        settings = KafkaSettings.of_event_hubs(connection)
        return Destination(KafkaPublisher(settings), settings.where, spool)
    return Destination(EventHubsPublisher(connection), connection.where, spool)


def _refuse_event_hub(options: argparse.Namespace) -> None:
    for option, given in (("--kafka", options.kafka), ("--event-hub", options.event_hub)):
        if given:
            msg = f"{option} is about event hubs, but messages go to a file or pipe; leave one out"
            raise ArgumentsRefused(msg)
