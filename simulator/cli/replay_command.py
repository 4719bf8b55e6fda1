"""``python -m simulator replay``: turns anybody's data into payment events and publishes them."""

import argparse
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from simulator.cli.argument_types import count, moment, natural, positive, subcommand
from simulator.cli.destinations import ENVIRONMENT, add_destination, destination
from simulator.cli.errors import ArgumentsRefused
from simulator.cli.file_arguments import keep_apart
from simulator.cli.reporting import Reporter, reporter
from simulator.cli.standard_output import StandardOutput
from simulator.errors import ExitCode, InvalidConfiguration, OutputFailed
from simulator.message import Message
from simulator.publishing.counters import summary
from simulator.publishing.files import read_messages
from simulator.publishing.pace import Pace
from simulator.publishing.publish import publish
from simulator.replay.card_masking import pii_hash_key
from simulator.replay.describing.describing import describe
from simulator.replay.mapping import FileFormat, ReplayMapping
from simulator.replay.mapping_reading import read_mapping
from simulator.replay.readers.opening import file_type
from simulator.replay.replaying import Anchor, Replay, ReplayOptions, ShiftTo

_DESCRIPTION: Final = """\
Replays a file: CSV, JSONL, Parquet, or Avro of Event Hubs Capture. A mapping says which column
becomes which field of a payment event, in which unit, time format and words; --describe proposes
one. Files may be larger than memory. A bad row is counted, kept in --rejects and skipped.
"""
_EXAMPLES: Final = f"""\
examples:
  have a mapping proposed, correct it, look at what comes out, and send it
    python -m simulator replay bank.csv --describe > bank.yaml
    python -m simulator replay bank.csv --map bank.yaml --limit 3 --stdout
    python -m simulator replay bank.csv --map bank.yaml --rejects bad-rows.jsonl

  last month's data as if it had ended now, since the pipeline refuses what is older than its
  retention, and a hundred times as fast as it was
    python -m simulator replay bank.csv --map bank.yaml --shift-to now --speed-up 100

  yesterday's capture once more, as it is, after a bug
    python -m simulator replay capture/*.avro

{ENVIRONMENT}  PII_HASH_KEY
      key of the fingerprints that stand for card numbers; without it, bin and last4 alone are kept
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subcommand(
        commands, "replay", "publish payments from anybody's data", _DESCRIPTION, _EXAMPLES
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="in order of time")
    how = parser.add_argument_group("how")
    mapped = how.add_mutually_exclusive_group()
    mapped.add_argument(
        "--map",
        type=Path,
        metavar="MAPPING.yaml",
        help="what becomes what; Capture and files of payment events need none",
    )
    mapped.add_argument(
        "--describe", action="store_true", help="print a proposal for a mapping, and send nothing"
    )
    how.add_argument(
        "--shift-to",
        type=_moment_or_now,
        metavar="TIME",
        help="move the newest event here, RFC 3339 or 'now', and all others alike",
    )
    how.add_argument(
        "--shift-oldest", action="store_true", help="let --shift-to move the oldest event instead"
    )
    how.add_argument(
        "--speed-up",
        type=positive,
        metavar="N",
        help="keep the events' own timing, N times as fast (default: as fast as possible)",
    )
    how.add_argument("--limit", type=count, metavar="N", help="send at most so many events")
    how.add_argument("--pack", type=count, metavar="N", default=50, help="events in a message (50)")
    how.add_argument("--rejects", type=Path, metavar="FILE", help="keep bad rows here (JSONL)")
    how.add_argument(
        "--max-rejects", type=natural, metavar="N", help="stop at more bad rows than that"
    )
    how.add_argument("--dry-run", action="store_true", help="map and count, but send nothing")
    how.add_argument("--quiet", action="store_true", help="no progress bar and no summary")
    how.add_argument(
        "--log", choices=("text", "json"), default="text", help="how to tell about progress (text)"
    )
    add_destination(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Replay, or describe; return the exit code."""
    if options.describe:
        console = StandardOutput()
        for file in options.files:
            console.out(describe(file), end="", highlight=False)
        return ExitCode.OK
    if options.shift_oldest and options.shift_to is None:
        msg = "--shift-oldest says which event --shift-to moves; give --shift-to as well"
        raise ArgumentsRefused(msg)
    keep_apart(
        options.files if options.map is None else [*options.files, options.map],
        {"--file": options.file, "--events": options.events, "--rejects": options.rejects},
    )
    replay = Replay(
        options.files, _mapping(options), _options(options), name=str(options.map or "the mapping")
    )
    with reporter("replay", quiet=options.quiet, log=options.log) as report:
        if options.dry_run:
            report.begin("bytes read", replay.total_bytes)
            for _ in _shown(replay, report):
                pass
            report.end("\n".join(replay.summary.lines()), **_figures(replay))
            return ExitCode.OK
        target = destination(options, report.warn)
        report.begin(f"bytes to {target.name}", replay.total_bytes)
        with target.publisher as publisher:
            publish(
                _shown(replay, report),
                publisher,
                pace=_pace(options),
                rate=options.rate,
                spool=target.spool,
            )
        sent = f"{target.name}: {summary(target.publisher.counters)}"
        report.end("\n".join([sent, *replay.summary.lines()]), **_figures(replay))
    return ExitCode.OK


def _mapping(options: argparse.Namespace) -> ReplayMapping:
    if options.map is not None:
        return read_mapping(options.map)
    kind = file_type(options.files[0])
    if kind not in {"capture", "jsonl"}:
        msg = (
            f"{options.files[0]} holds {kind}, not payment events: give a mapping by --map; "
            "--describe proposes one"
        )
        raise InvalidConfiguration(msg)
    if kind == "jsonl" and _holds_messages(options.files[0]):
        msg = (
            f"{options.files[0]} holds messages, as --file writes them, not payment events; "
            "write it by --events to replay it"
        )
        raise InvalidConfiguration(msg)
    return ReplayMapping(format=FileFormat(type=kind))


def _holds_messages(path: Path) -> bool:
    try:
        return next(read_messages(path), None) is not None
    except OutputFailed:
        return False


def _options(options: argparse.Namespace) -> ReplayOptions:
    anchor = Anchor.oldest if options.shift_oldest else Anchor.newest
    return ReplayOptions(
        pack=options.pack,
        linger=None if options.speed_up is None else timedelta(seconds=options.speed_up),
        shift_to=None if options.shift_to is None else ShiftTo(options.shift_to, anchor),
        limit=options.limit,
        max_rejects=options.max_rejects,
        rejects=options.rejects,
        pii_hash_key=pii_hash_key(os.environ.get("PII_HASH_KEY")),
    )


def _shown(replay: Replay, report: Reporter) -> Iterator[Message]:
    for message in replay.messages():
        report.progress(replay.bytes_read)
        yield message
    report.progress(replay.total_bytes)


def _pace(options: argparse.Namespace) -> "Pace | None":
    return None if options.speed_up is None else _FromTheFirst(options.speed_up)


class _FromTheFirst(Pace):
    """Begins with the time of the first message."""

    def __init__(self, speed_up: float) -> None:
        super().__init__(0, speed_up)
        self._first: int | None = None

    def delay(self, message: Message) -> float:
        if self._first is None:
            self._first = message.at
        return super().delay(message._replace(at=message.at - self._first))


def _figures(replay: Replay) -> dict[str, object]:
    counted = replay.summary
    return {
        "rows": counted.rows,
        "events": counted.events,
        "messages": counted.messages,
        "skipped": counted.skipped,
        "bad": dict(counted.bad),
    }


def _moment_or_now(text: str) -> datetime:
    return datetime.now().astimezone() if text == "now" else moment(text)
