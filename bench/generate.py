"""How fast the simulator generates payments, JSON text included, beside a plain generator.

``python -m bench.generate``: both on one core in the same run, in turns, the best of each counted;
then the whole way to packed messages, and the same in worker processes.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from bench.plain_generator import plain_events
from simulator.configuration.structure import Configuration
from simulator.configuration.traffic_settings import TimeSpan, Volume
from simulator.generation.encoding import write_events
from simulator.generation.ordinary import draw_payments, live
from simulator.generation.span import span_of
from simulator.generation.streams import column_stream
from simulator.generation.world import World
from simulator.simulation import Simulation

_END = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.generate", description=__doc__)
    parser.add_argument("--payments", type=int, default=200_000, help="for each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="the fastest of so many counts")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures here, too")
    options = parser.parse_args()
    configuration = replace(
        Configuration(),
        time=TimeSpan(end=_END, duration="6h"),
        volume=Volume(payments=options.payments),
    )
    world = World.build(configuration, span_of(configuration, _END))
    tasks: dict[str, Callable[[], int]] = {
        "plain: random, json.dumps": lambda: _plain(configuration, options.payments // 10),
        "columns and their JSON": lambda: _columns(world),
        "whole simulation, packed": lambda: _packed(configuration, 1),
        "the same, 2 worker processes": lambda: _packed(configuration, 2),
    }
    best = dict.fromkeys(tasks, 0.0)
    for _ in range(options.rounds):
        for name, task in tasks.items():
            begun = time.perf_counter()
            events = task()
            best[name] = max(best[name], events / (time.perf_counter() - begun))
    plain = next(iter(best.values()))
    print(f"{os.cpu_count()} cores, {options.payments} payments, best of {options.rounds}")
    print(f"{'':32}{'events/s':>12}{'of plain':>10}")
    for name, rate in best.items():
        print(f"{name:32}{rate:12,.0f}{rate / plain:9.1f}x")
    if options.json is not None:
        options.json.write_text(json.dumps(best, indent=2) + "\n", "utf-8")


def _plain(configuration: Configuration, events: int) -> int:
    return sum(1 for _ in plain_events(configuration, events, _END))


def _columns(world: World) -> int:
    events = 0
    for block in world.timeline.blocks():
        columns = column_stream(world.configuration.seed, f"block/{block.number}")
        payments = draw_payments(world, block, block.payments, columns)
        drawn = live(world, payments, block.payments, columns)
        events += len(write_events(world, payments, drawn, columns).bodies)
    return events


def _packed(configuration: Configuration, workers: int) -> int:
    return sum(message.events for message in Simulation(configuration, workers=workers))


if __name__ == "__main__":
    main()
