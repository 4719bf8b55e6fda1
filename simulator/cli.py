"""The command line: ``python -m simulator run``; a thin skin over ``simulate`` and ``publish``."""

import argparse
import logging
import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from shared_code.domain.windows import window_start
from simulator.arguments import parse_arguments
from simulator.connection import ProducerSettings
from simulator.errors import (
    EventHubsRefused,
    EventHubsUnreachable,
    InvalidConnection,
    InvalidParameters,
    OutputFailed,
    SimulatorError,
)
from simulator.message_file import write_events, write_messages
from simulator.parameters import Parameters
from simulator.publisher import Sent, publish
from simulator.simulation import Simulation, simulate


class ExitCode(IntEnum):
    """What the command tells the shell."""

    OK = 0
    USAGE = 2
    UNREACHABLE = 3
    REFUSED = 4
    OUTPUT = 5
    INTERRUPTED = 130


_EXIT_CODES: Final[Mapping[type[SimulatorError], ExitCode]] = {
    InvalidParameters: ExitCode.USAGE,
    InvalidConnection: ExitCode.USAGE,
    EventHubsUnreachable: ExitCode.UNREACHABLE,
    EventHubsRefused: ExitCode.REFUSED,
    OutputFailed: ExitCode.OUTPUT,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = parse_arguments(arguments)
    # The SDK logs each retry; what it gives up on is told once, by the error below.
    logging.getLogger("azure").addHandler(logging.NullHandler())
    errors = Console(stderr=True, soft_wrap=True)
    try:
        _run(options)
    except SimulatorError as error:
        errors.print(f"error: {error}", style="bold red", markup=False, highlight=False)
        return _EXIT_CODES[type(error)]
    except KeyboardInterrupt:
        errors.print("interrupted; what was sent stays sent, no ledger was written", markup=False)
        return ExitCode.INTERRUPTED
    return ExitCode.OK


def _run(options: argparse.Namespace) -> None:
    simulation = simulate(_parameters(options))
    file, write = options.file, write_messages
    if options.events is not None:
        file, write = options.events, write_events
    settings = None
    if file is None:
        settings = ProducerSettings.of(
            os.environ,
            connection_string=options.connection_string,
            event_hub=options.event_hub,
        )
    started = time.monotonic()
    with _progress(quiet=options.quiet) as bar:
        task = bar.add_task("events", total=simulation.expected_events)

        def show(sent: Sent) -> None:
            bar.update(task, completed=sent.events)

        if settings is None:
            target = str(file)
            sent = write(simulation, file, show)
        else:
            target = f"event hub {settings.event_hub!r} at {settings.address}"
            sent = publish(simulation, settings, show, rate=options.rate)
        bar.update(task, total=sent.events)
    if options.ledger is not None:
        simulation.ledger.save(options.ledger)
    if not options.quiet:
        _report(simulation, sent, target, time.monotonic() - started, options.ledger)


def _report(
    simulation: Simulation, sent: Sent, target: str, seconds: float, ledger_file: Path | None
) -> None:
    ledger = simulation.ledger
    refused = sum(ledger.rejected.values())
    speed = f"{sent.events / seconds:.0f} events/s"
    content = f"{ledger.payments} payments, {ledger.late} of them late"
    lines = [
        f"{sent.events} events in {sent.messages} messages to {target}, {speed}",
        f"{content}; {ledger.duplicates} duplicates; {refused} to be refused",
    ]
    if ledger_file is not None:
        lines.append(f"ledger: {ledger_file}")
    Console(soft_wrap=True).print("\n".join(lines), markup=False, highlight=False)


def _parameters(options: argparse.Namespace) -> Parameters:
    return Parameters(
        end=options.end or window_start(datetime.now(UTC)),
        payments=options.payments,
        seed=options.seed,
        windows=options.windows,
        pack=options.pack,
        bad_share=options.bad_share,
        duplicate_share=options.duplicate_share,
        late_share=options.late_share,
        conflict_share=options.conflict_share,
    )


def _progress(*, quiet: bool) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=quiet,
    )
