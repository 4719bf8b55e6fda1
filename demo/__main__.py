"""Runs the demo: ``python -m demo``."""

import argparse
import sys
import time
from collections.abc import Sequence
from itertools import islice
from typing import Final

from rich.console import Console
from sqlalchemy import create_engine

from demo.comparison import differences
from demo.local_pipeline import LocalPipeline, fresh_pipeline
from demo.next_steps import dashboard_address, next_steps
from demo.summary import print_summary
from local_azure.errors import LocalAzureError
from simulator.configuration.shipped_profiles import load_profile
from simulator.errors import SimulatorError
from simulator.ledger import Ledger
from simulator.simulation import simulate

_DESCRIPTION: Final = """\
Start the local parts of Azure and the functions, send simulated payments through them, close the
windows, compare every sum with what was sent, and print a summary. The exit code is 0 only if all
sums are equal. Each run starts afresh in its own data folder.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=_DESCRIPTION)
    parser.add_argument("--payments", type=int, default=20_000, help="how many (20000)")
    parser.add_argument("--seed", type=int, default=7, help="of the simulator (7)")
    parser.add_argument("--keep", action="store_true", help="keep all running until Ctrl-C")
    options = parser.parse_args(arguments)
    console = Console()
    try:
        with fresh_pipeline(console, "demo") as pipeline:
            return _demo(pipeline, options, console)
    except (LocalAzureError, SimulatorError) as error:
        console.print(f"error: {error}", style="bold red", markup=False, highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("stopped")
        return 130


def _demo(pipeline: LocalPipeline, options: argparse.Namespace, console: Console) -> int:
    wanted = (f"volume.payments={options.payments}", f"seed={options.seed}")
    simulation = simulate(load_profile("steady", wanted, environment={}))
    messages = list(simulation)
    began = time.monotonic()
    # Windows are closed twice, so that what comes late makes new revisions.
    early = len(messages) * 9 // 10
    rest = iter(messages)
    for part in (list(islice(rest, early)), list(rest)):
        pipeline.send(part, sum(message.events for message in part))
        pipeline.close_windows()
    seconds = time.monotonic() - began
    return _report(pipeline, simulation.ledger, seconds, options, console)


def _report(
    pipeline: LocalPipeline,
    ledger: Ledger,
    seconds: float,
    options: argparse.Namespace,
    console: Console,
) -> int:
    settings = pipeline.local.settings
    url = settings["DATABASE_URL"]
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg2:", 1))
    with engine.connect() as connection:
        print_summary(console, connection)
        wrong = list(differences(connection, ledger))
        steps = list(next_steps(settings, connection))
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
    address = dashboard_address(pipeline.host_url)
    if options.keep:
        console.print(f"dashboard: {address}", style="bold", soft_wrap=True)
        console.print("all keeps running until Ctrl-C; in another shell, here, try:")
        for line in steps:
            console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
        while True:
            time.sleep(3600)
    console.print(
        f"the dashboard was at {address}; to look around: tox run -e demo -- --keep, which keeps it"
        " up and names commands to try on what rules found",
        soft_wrap=True,
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
