"""Everything that the blocks of one simulation have in common, built once in each process."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import msgspec

from simulator.configuration.structure import Configuration
from simulator.generation.population import Population
from simulator.generation.span import Span, pinned
from simulator.generation.timeline import Timeline


@dataclass(frozen=True, slots=True)
class World:
    """Population and timeline of a configuration.

    Attributes:
        configuration: pinned to its time: run again it gives the same simulation.
        span: of time.
        population: who pays and is paid.
        timeline: when.
        run_key: 64 bits that make the ids of different simulations differ.
    """

    configuration: Configuration
    span: Span
    population: Population
    timeline: Timeline
    run_key: int

    @classmethod
    def build(cls, configuration: Configuration, span: Span) -> Self:
        """Return the world of a configuration over a span of time."""
        population = Population(configuration)
        timeline = Timeline(configuration, population, span)
        fixed = pinned(configuration, span, timeline.payments)
        digest = hashlib.blake2b(msgspec.json.encode(fixed), digest_size=8).digest()
        return cls(fixed, span, population, timeline, int.from_bytes(digest))


@lru_cache(maxsize=2)
def world_of(configuration: bytes, span: Span) -> World:
    """Return the world of a configuration in JSON: what a worker process is asked for."""
    return World.build(msgspec.json.decode(configuration, type=Configuration), span)
