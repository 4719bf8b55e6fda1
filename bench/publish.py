"""What bounds publishing: the generator, or the SDK that sends.

``python -m bench.publish``: generates a simulation into nothing, then publishes the same one to the
local Event Hubs endpoint, through the ``azure-eventhub`` SDK, and says where the time went. The
endpoint runs on the same machine and takes its share of it.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from bench.report import Result, add_arguments, conclude, machine
from simulator.configuration.shipped_profiles import load_profile
from simulator.publishing.connection import ProducerSettings
from simulator.publishing.counters import Counters, summary
from simulator.publishing.event_hubs import EventHubsPublisher
from simulator.publishing.publish import publish
from simulator.simulation import Simulation

_END = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.publish", description=__doc__)
    parser.add_argument("--payments", type=int, default=100_000)
    parser.add_argument("--pack", type=int, default=50, help="payments in a message")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    wanted = (
        f"volume.payments={options.payments}",
        f"messages.pack={options.pack}",
        f"time.end={_END.isoformat()}",
        "time.duration=6h",
    )
    configuration = load_profile("clean", wanted, environment={})
    generated = _generate(Simulation(configuration))
    simulation = Simulation(configuration)
    counters, seconds, in_sdk = _publish(simulation)
    sending, generating = in_sdk / seconds, simulation.generating_seconds / seconds
    result = Result(
        benchmark="publish",
        title=f"Publishing {options.payments:,} payments, {options.pack} in a message",
        columns=(
            "generated alone, events/s",
            "published, events/s",
            "time inside the SDK",
            "generating",
            "between them",
        ),
        rows=[
            [
                round(generated),
                round(counters.events / seconds),
                f"{sending:.0%}",
                f"{generating:.0%}",
                f"{1 - sending - generating:.0%}",
            ]
        ],
        ratios=[],
        seconds=time.perf_counter() - began,
        machine=machine(),
        remarks=(summary(counters),),
    )
    return conclude([result], options.json)


def _generate(simulation: Simulation) -> float:
    begun = time.perf_counter()
    events = sum(message.events for message in simulation)
    return events / (time.perf_counter() - begun)


def _publish(simulation: Simulation) -> tuple[Counters, float, float]:
    """Return what was counted, the seconds it took, and those of them inside the SDK."""
    with _endpoint() as connection_string:
        settings = ProducerSettings.of({}, connection_string=connection_string)
        with EventHubsPublisher(settings) as publisher:
            counters = publisher.counters
            # Connecting is not publishing.
            connected = counters.sdk_seconds
            begun = time.perf_counter()
            publish(simulation, publisher)
            seconds = time.perf_counter() - begun
            return counters, seconds, counters.sdk_seconds - connected


@contextmanager
def _endpoint() -> Iterator[str]:
    """Run a local Event Hubs endpoint, and yield its connection string."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "local_azure.event_hubs", "--hub", "payments:4:metrics"]
        with subprocess.Popen(
            [*command, "--data", folder, "--port", "0"], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            try:
                yield next(
                    line[line.index("Endpoint=") :].strip()
                    for line in process.stdout
                    if "Endpoint=sb://" in line
                )
            finally:
                process.terminate()


if __name__ == "__main__":
    sys.exit(main())
