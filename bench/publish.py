"""What bounds publishing: the generator, or the SDK that sends.

``python -m bench.publish``: generates a simulation into nothing, then publishes the same one to the
local Event Hubs endpoint, through the ``azure-eventhub`` SDK, and says where the time went. The
endpoint runs on the same machine and takes its share of it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from simulator.configuration.shipped_profiles import load_profile
from simulator.publishing.connection import ProducerSettings
from simulator.publishing.counters import Counters, summary
from simulator.publishing.event_hubs import EventHubsPublisher
from simulator.publishing.publish import publish
from simulator.simulation import Simulation

_END = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.publish", description=__doc__)
    parser.add_argument("--payments", type=int, default=100_000)
    parser.add_argument("--pack", type=int, default=50, help="payments in a message")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures here, too")
    options = parser.parse_args()
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
    figures = {
        "generated_per_second": generated,
        "published_per_second": counters.events / seconds,
        "share_in_sdk": in_sdk / seconds,
        "share_generating": simulation.generating_seconds / seconds,
    }
    print(f"generated alone: {generated:,.0f} events/s")
    print(f"published: {figures['published_per_second']:,.0f} events/s; {summary(counters)}")
    print(
        f"time: {figures['share_in_sdk']:.0%} inside the SDK, {figures['share_generating']:.0%} "
        f"generating, {1 - figures['share_in_sdk'] - figures['share_generating']:.0%} between them"
    )
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


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
    main()
