"""What the command line takes, and how it explains itself."""

import argparse
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from msgspec.structs import fields

from simulator.connection import CONNECTION_SETTING, DEFAULT_EVENT_HUB, NAMESPACE_SETTING
from simulator.parameters import Parameters

_DESCRIPTION: Final = """\
Simulates payments, publishes them to Event Hubs, and keeps a ledger of what they add up to.

The same seed, parameters and --end always give the same messages, byte by byte. Besides ordinary
payments there are notable ones (large, rapid, just under a limit), late ones, duplicates, and bad
ones of every kind that the pipeline refuses.
"""
_EXAMPLES: Final = f"""\
examples:
  publish to the event hub that {CONNECTION_SETTING} names, and keep the ledger
    python -m simulator run --ledger ledger.json

  a quick look at what would be sent
    python -m simulator run --payments 500 --file messages.jsonl

  events on which rules are tried: python -m shared_code rules test rules.yaml --events events.jsonl
    python -m simulator run --payments 5000 --events events.jsonl

  200 payments a second, all of them good
    python -m simulator run --rate 200 --bad-share 0 --duplicate-share 0 --conflict-share 0

  the very run of yesterday noon once more
    python -m simulator run --seed 7 --end 2026-01-31T12:00:00Z --ledger ledger.json

environment:
  {CONNECTION_SETTING}
      a connection string with the right to send
  {NAMESPACE_SETTING}
      a host name instead: you are signed in by azure-identity (az login, managed identity, ...)

exit codes:
  0  everything was sent
  2  wrong arguments, parameters or connection string
  3  Event Hubs cannot be reached
  4  Event Hubs refuses: wrong key, missing right, no such event hub
  5  a file cannot be written
  130  interrupted
"""


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line; wrong ones end the process with exit code 2."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if (options.file or options.events) is not None and options.rate is not None:
        parser.error("--rate is for publishing; a file is written as fast as possible")
    return options


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        msg = f"expected a time with offset such as 2026-01-31T12:05:00Z, found {text!r}"
        raise argparse.ArgumentTypeError(msg) from error


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        msg = f"expected a number above 0, found {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run",
        help="generate payments and publish them",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_where(run)
    _add_what(run)
    return parser


def _add_where(run: argparse.ArgumentParser) -> None:
    where = run.add_argument_group("where to")
    target = where.add_mutually_exclusive_group()
    target.add_argument(
        "--connection-string",
        metavar="TEXT",
        help=f"of the Event Hubs namespace (default: ${CONNECTION_SETTING}, which keeps the key "
        "out of the list of processes)",
    )
    target.add_argument(
        "--file", type=Path, metavar="OUT.jsonl", help="write messages here instead of publishing"
    )
    target.add_argument(
        "--events",
        type=Path,
        metavar="OUT.jsonl",
        help="write payment events alone here, as 'rules test' reads them",
    )
    where.add_argument(
        "--event-hub",
        metavar="NAME",
        help=f"default: the connection string's EntityPath, else {DEFAULT_EVENT_HUB}",
    )
    where.add_argument("--ledger", type=Path, metavar="FILE", help="write the ledger here (JSON)")
    where.add_argument(
        "--rate", type=_positive, metavar="N", help="events a second (default: as fast as possible)"
    )
    where.add_argument("--quiet", action="store_true", help="no progress bar and no summary")


def _add_what(run: argparse.ArgumentParser) -> None:
    defaults = {field.name: field.default for field in fields(Parameters)}
    what = run.add_argument_group("what")
    for name, meaning in (
        ("payments", "distinct valid payment events; all others come on top"),
        ("seed", "another seed, another simulation"),
        ("windows", "five-minute windows over which event time spreads"),
        ("pack", "most payments in one message"),
    ):
        what.add_argument(
            f"--{name}",
            type=int,
            metavar="N",
            default=defaults[name],
            help=f"{meaning} (default: {defaults[name]})",
        )
    what.add_argument(
        "--end",
        type=_time,
        metavar="TIME",
        help="end of the last window, RFC 3339 (default: the start of the current five-minute "
        "window, so that all windows have ended)",
    )
    for name, meaning in (
        ("bad_share", "events that the pipeline has to refuse"),
        ("duplicate_share", "events that come twice"),
        ("late_share", "payments that come windows late"),
        ("conflict_share", "events that contradict an earlier one"),
    ):
        what.add_argument(
            f"--{name.replace('_', '-')}",
            type=float,
            metavar="SHARE",
            default=defaults[name],
            help=f"{meaning}, as a share of the payments (default: {defaults[name]})",
        )
