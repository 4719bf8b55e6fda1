"""How fast the simulator generates payments, JSON text included, beside a plain generator.

``python -m bench.generate``: both on one core in the same run, in turns;
then the whole way to packed messages, and the same in worker processes.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from bench.plain_generator import plain_events
from bench.report import Ratio, Result, add_arguments, conclude, machine, spread
from simulator.configuration.structure import Configuration
from simulator.configuration.traffic_settings import TimeSpan, Volume
from simulator.generation.encoding import write_events
from simulator.generation.ordinary import draw_payments, live
from simulator.generation.span import span_of
from simulator.generation.streams import column_stream
from simulator.generation.world import World
from simulator.simulation import Simulation

_END = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
_PLAIN = "plain: random, json.dumps"
_COLUMNS = "columns and their JSON"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.generate", description=__doc__)
    parser.add_argument("--payments", type=int, default=200_000, help="for each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="of each (3)")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    configuration = replace(
        Configuration(),
        time=TimeSpan(end=_END, duration="6h"),
        volume=Volume(payments=options.payments),
    )
    world = World.build(configuration, span_of(configuration, _END))
    tasks: dict[str, Callable[[], int]] = {
        _PLAIN: lambda: _plain(configuration, options.payments // 10),
        _COLUMNS: lambda: _columns(world),
        "whole simulation, packed": lambda: _packed(configuration, 1),
        "the same, 2 worker processes": lambda: _packed(configuration, 2),
    }
    rates: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(options.rounds):
        for name, task in tasks.items():
            begun = time.perf_counter()
            events = task()
            rates[name].append(events / (time.perf_counter() - begun))
    of_plain = [own / plain for own, plain in zip(rates[_COLUMNS], rates[_PLAIN], strict=True)]
    result = Result(
        benchmark="generate",
        title=f"Generating {options.payments:,} payments",
        columns=("", "events/s"),
        rows=[[name, round(statistics.median(found))] for name, found in rates.items()],
        ratios=[Ratio("columns and their JSON, of a plain generator", *spread(of_plain))],
        seconds=time.perf_counter() - began,
        machine=machine(),
    )
    return conclude([result], options.json)


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
    sys.exit(main())
