"""Runs the demo: ``python -m demo``."""

import argparse
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import create_engine

from demo.comparison import differences
from demo.next_steps import next_steps
from demo.summary import print_summary
from local_azure.config import LocalAzureConfig, load_config
from local_azure.environment import LocalAzure
from local_azure.errors import LocalAzureError
from local_azure.host_client import run_function, wait_until_processed
from simulator.configuration.shipped_profiles import load_profile
from simulator.errors import SimulatorError
from simulator.ledger import Ledger
from simulator.message import Message
from simulator.publishing.connection import ProducerSettings
from simulator.publishing.event_hubs import EventHubsPublisher
from simulator.publishing.protocol import Sent
from simulator.publishing.publish import publish
from simulator.simulation import simulate

ROOT: Final = Path(__file__).parents[1]
_FUNCTION: Final = "ProcessTransaction"
_DESCRIPTION: Final = """\
Start the local parts of Azure and the functions, send simulated payments through them, close the
windows, compare every sum with what was sent, and print a summary. The exit code is 0 only if all
sums are equal. Each run starts afresh in its own data folder.
"""


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of the demo: where it runs and what it says."""

    local: LocalAzure
    host_url: str
    console: Console

    def send(self, messages: Iterable[Message], events: int) -> None:
        """Publish messages while the functions process them, and wait until all are done."""
        producer = ProducerSettings.of(self.local.settings, event_hub="payments")
        with self._bar() as bar:
            task = bar.add_task("payments sent", total=events)

            def show(sent: Sent) -> None:
                bar.update(task, completed=sent.events)

            with EventHubsPublisher(producer) as publisher:
                sent = publish(messages, publisher, show)
            bar.update(task, total=sent.events, completed=sent.events)
            rest = bar.add_task("messages processed", total=sent.messages)
            wait_until_processed(
                self.host_url,
                self.local.settings["EventHubConnection"],
                _FUNCTION,
                seconds=600,
                progress=lambda waiting: bar.update(
                    rest, completed=max(sent.messages - waiting, 0)
                ),
            )

    def close_windows(self) -> None:
        """Close the windows that have ended, as the timer does every five minutes."""
        run_function(self.host_url, "AggregateMetrics")

    def _bar(self) -> Progress:
        return Progress(
            TextColumn("{task.description:20}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=_DESCRIPTION)
    parser.add_argument("--payments", type=int, default=20_000, help="how many (20000)")
    parser.add_argument("--seed", type=int, default=7, help="of the simulator (7)")
    parser.add_argument("--keep", action="store_true", help="keep all running until Ctrl-C")
    options = parser.parse_args(arguments)
    console = Console()
    try:
        with _fresh_local_azure(console) as local:
            return _demo(local, options, console)
    except (LocalAzureError, SimulatorError) as error:
        console.print(f"error: {error}", style="bold red", markup=False, highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("stopped")
        return 130


@contextmanager
def _fresh_local_azure(console: Console) -> Iterator[LocalAzure]:
    config = load_config(ROOT / "local_azure.yaml")
    folder = config.data_folder / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    with LocalAzure(_on_free_ports(config, folder), say=console.print) as local:
        yield local


def _on_free_ports(config: LocalAzureConfig, folder: Path) -> LocalAzureConfig:
    """Return the configuration beside which another one may run."""
    functions = replace(config.functions, port=0)
    return replace(config, data_folder=folder, functions=functions)


def _demo(local: LocalAzure, options: argparse.Namespace, console: Console) -> int:
    console.print("starting the functions ...")
    run = _Run(local, local.start_host(), console)
    wanted = (f"volume.payments={options.payments}", f"seed={options.seed}")
    simulation = simulate(load_profile("steady", wanted, environment={}))
    messages = list(simulation)
    began = time.monotonic()
    # Windows are closed twice, so that what comes late makes new revisions.
    early = len(messages) * 9 // 10
    rest = iter(messages)
    for part in (list(islice(rest, early)), list(rest)):
        run.send(part, sum(message.events for message in part))
        run.close_windows()
    seconds = time.monotonic() - began
    return _report(local, simulation.ledger, seconds, options, console)


def _report(
    local: LocalAzure,
    ledger: Ledger,
    seconds: float,
    options: argparse.Namespace,
    console: Console,
) -> int:
    url = local.settings["DATABASE_URL"]
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg2:", 1))
    with engine.connect() as connection:
        print_summary(console, connection)
        wrong = list(differences(connection, ledger))
        steps = list(next_steps(local.settings, connection))
    engine.dispose()
    console.print(
        f"\n{ledger.events} events in {ledger.messages} messages: {ledger.payments} payments, "
        f"{ledger.duplicates} duplicates, {sum(ledger.rejected.values())} to be rejected; "
        f"{ledger.events / seconds:.0f} events/s from the first one sent to the last window closed"
    )
    for line in wrong:
        console.print(line, style="red", markup=False)
    if wrong:
        console.print(f"{len(wrong)} differences between database and ledger", style="bold red")
    else:
        console.print("every sum in the database equals the simulator's ledger", style="bold green")
    if options.keep:
        console.print("all keeps running until Ctrl-C; in another shell, here, try:")
        for line in steps:
            console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
        while True:
            time.sleep(3600)
    console.print(
        "to look around: tox run -e demo -- --keep, which names commands to try on what rules found"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
