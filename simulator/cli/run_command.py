"""``python -m simulator run``: generates payments and publishes them."""

import argparse
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

from simulator.cli.argument_types import count, subcommand
from simulator.cli.configuring import (
    add_configuration,
    chosen_configuration,
    watched_configuration,
)
from simulator.cli.destinations import ENVIRONMENT, Destination, add_destination, destination
from simulator.cli.file_arguments import keep_apart, require_writable
from simulator.cli.reporting import Reporter, reporter
from simulator.configuration.errors import ConfigurationRefused
from simulator.errors import ExitCode, SimulatorError
from simulator.generation.span import moment
from simulator.ledger import Ledger
from simulator.message import Message
from simulator.publishing.counters import summary
from simulator.publishing.pace import Pace
from simulator.publishing.protocol import Sent
from simulator.publishing.publish import publish
from simulator.simulation import Simulation

_DESCRIPTION: Final = """\
Generates payments, publishes them, and keeps a ledger: what they add up to, what has to be refused,
and every violation that was injected.

The same configuration, seed and --end always give the same messages, byte by byte, with any number
of --workers. Ctrl-C ends after the current block of payments, with a ledger of what was generated;
a second Ctrl-C ends at once.
"""
_EXAMPLES: Final = f"""\
examples:
  publish to the event hub that EventHubConnection names, and keep the ledger
    python -m simulator run --ledger ledger.json

  look at some events
    python -m simulator run --profile clean --stdout | head -3

  events on which rules are tried: python -m shared_code rules test rules.yaml --events events.jsonl
    python -m simulator run --payments 5000 --events events.jsonl

  a day of Black Friday within ten minutes, ending now
    python -m simulator run --profile black-friday --duration 24h --speed-up 144

  50 payments a second from now on, until Ctrl-C
    python -m simulator run --live --set volume.rate=50

  your own configuration; edits of it take effect while it runs
    python -m simulator profiles steady --full > mine.yaml
    python -m simulator run --config mine.yaml --live --set volume.rate=20

  nothing but good payments
    python -m simulator run --profile clean

  the very run of yesterday noon once more
    python -m simulator run --seed 7 --end 2026-01-31T12:00:00Z --ledger ledger.json

{ENVIRONMENT}"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subcommand(
        commands, "run", "generate payments and publish them", _DESCRIPTION, _EXAMPLES
    )
    add_destination(parser)
    add_configuration(parser)
    how = parser.add_argument_group("how")
    how.add_argument("--ledger", type=Path, metavar="FILE", help="write the ledger here (JSON)")
    how.add_argument(
        "--workers",
        type=count,
        metavar="N",
        default=1,
        help="processes that generate (default: 1, some 200,000 payments a second)",
    )
    how.add_argument("--quiet", action="store_true", help="no progress bar and no summary")
    how.add_argument(
        "--log",
        choices=("text", "json"),
        default="text",
        help="how to tell about progress, on standard error (default: text)",
    )
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Generate and publish; return the exit code."""
    ledger_file = {"--ledger": options.ledger}
    keep_apart(
        [] if options.config is None else [options.config],
        {"--file": options.file, "--events": options.events, **ledger_file},
    )
    require_writable(ledger_file)
    with reporter("run", quiet=options.quiet, log=options.log) as report:
        simulation = _simulation(options, report)
        target = destination(options, report.warn)
        report.begin(
            f"events to {target.name}",
            None if simulation.endless else simulation.expected_payments,
            configuration=simulation.configuration.description,
            seed=simulation.configuration.seed,
        )
        with _stopped_by_signals(simulation, report), _repeatable(simulation, options):
            _publish(simulation, target, options, report)
        if not simulation.finished:
            # Whoever read the standard output has seen enough.
            return ExitCode.OK
        ledger = simulation.ledger
        if options.ledger is not None:
            ledger.save(options.ledger)
        counters = target.publisher.counters
        report.end(
            f"{target.name}: {summary(counters)}\n{_account(ledger, options.ledger)}",
            sent=counters.events,
            events_per_second=round(counters.events_per_second),
            failures=counters.failures,
            sdk_seconds=round(counters.sdk_seconds, 3),
            generating_seconds=round(simulation.generating_seconds, 3),
            **_figures(ledger),
        )
    return ExitCode.OK if ledger.complete else ExitCode.INTERRUPTED


def _simulation(options: argparse.Namespace, report: Reporter) -> Simulation:
    if options.config is None:
        return Simulation(chosen_configuration(options), workers=options.workers)

    def refused(error: ConfigurationRefused) -> None:
        report.warn(f"the edited configuration is refused, the old one goes on:\n{error}")

    watched = watched_configuration(options, refused)

    def reload() -> Any:
        configuration = watched.poll()
        if configuration is not None:
            report.warn(f"{options.config} has changed and takes effect")
        return configuration

    return Simulation(watched.configuration, workers=options.workers, reload=reload)


def _publish(
    simulation: Simulation, target: Destination, options: argparse.Namespace, report: Reporter
) -> None:
    def show(sent: Sent) -> None:
        report.progress(sent.events)

    span = simulation.span
    pace = None if span.speed_up is None else _Pace(simulation, span.start, span.speed_up)
    with target.publisher as publisher:
        publish(simulation, publisher, show, pace=pace, rate=options.rate, spool=target.spool)


@contextmanager
def _repeatable(simulation: Simulation, options: argparse.Namespace) -> Iterator[None]:
    """Let an error say how to run the same simulation again: by default it ends now."""
    try:
        yield
    except SimulatorError as error:
        if options.start is None and options.end is None and simulation.span.speed_up is None:
            end = moment(simulation.span.end).isoformat()
            error.args = (f"{error}; the same simulation again: add --end {end}",)
        raise


class _Pace(Pace):
    """Keeps pace until the simulation is stopped: what is left then leaves at once."""

    def __init__(self, simulation: Simulation, start: int, speed_up: float) -> None:
        super().__init__(start, speed_up)
        self._simulation = simulation

    def delay(self, message: Message) -> float:
        return 0.0 if self._simulation.stopped else super().delay(message)


@contextmanager
def _stopped_by_signals(simulation: Simulation, report: Reporter) -> Iterator[None]:
    """Let the first Ctrl-C, or what stops a container, end the simulation; the second one all."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def stop(_number: int, _frame: FrameType | None) -> None:
        restore()
        report.warn("ending after this block of payments; Ctrl-C again ends at once")
        simulation.stop()

    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        restore()


def _account(ledger: Ledger, file: Path | None) -> str:
    text = (
        f"{ledger.payments} payments, {ledger.late} of them late; {ledger.duplicates} duplicates; "
        f"{sum(ledger.rejected.values())} to be refused; "
        f"{len(ledger.injected)} violations injected"
    )
    return text if file is None else f"{text}\nledger: {file}"


def _figures(ledger: Ledger) -> dict[str, Any]:
    return {
        "complete": ledger.complete,
        "messages": ledger.messages,
        "payments": ledger.payments,
        "duplicates": ledger.duplicates,
        "late": ledger.late,
        "rejected": sum(ledger.rejected.values()),
        "injected": len(ledger.injected),
    }
