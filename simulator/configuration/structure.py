"""The whole configuration of a simulation; every field has a default and a description."""

from typing import Annotated

from msgspec import Meta

from simulator.configuration.base import Part
from simulator.configuration.population_settings import DEFAULT_CATEGORIES as _CATEGORIES
from simulator.configuration.population_settings import DEFAULT_COUNTRIES as _COUNTRIES
from simulator.configuration.population_settings import DEFAULT_SEGMENTS as _SEGMENTS
from simulator.configuration.population_settings import Category, Country, Population, Segment
from simulator.configuration.traffic_settings import (
    Arrival,
    LifeCycle,
    Messages,
    Rhythm,
    TimeSpan,
    Volume,
    Writing,
)
from simulator.configuration.violation_settings import Violations


class Configuration(Part, frozen=True):
    """What a simulation consists of. Equal configurations give byte-identical messages."""

    description: Annotated[
        str, Meta(description="What this configuration is for, in a sentence.")
    ] = ""
    seed: Annotated[
        int,
        Meta(ge=0, le=2**53, description="Another seed, another simulation of the same kind."),
    ] = 7
    time: Annotated[
        TimeSpan, Meta(description="Which stretch of time is simulated, and how fast it passes.")
    ] = TimeSpan()
    volume: Annotated[
        Volume,
        Meta(
            description="How many payments: a total, or a rate, or a rate and a total, which"
            " then decides on the duration."
        ),
    ] = Volume()
    rhythm: Annotated[
        Rhythm,
        Meta(description="Days of the week, holidays and pay days. Hours are the segments'."),
    ] = Rhythm()
    population: Annotated[Population, Meta(description="How many pay and are paid.")] = Population()
    segments: Annotated[
        tuple[Segment, ...],
        Meta(min_length=1, max_length=50, description="Kinds of customers."),
    ] = _SEGMENTS
    countries: Annotated[
        tuple[Country, ...],
        Meta(
            min_length=1,
            max_length=250,
            description="Where customers and merchants live, with currency and time zone.",
        ),
    ] = _COUNTRIES
    categories: Annotated[
        tuple[Category, ...],
        Meta(
            min_length=1,
            max_length=200,
            description="Kinds of merchants: how often, how much, and how it is paid there.",
        ),
    ] = _CATEGORIES
    life_cycle: Annotated[LifeCycle, Meta(description="Through which statuses payments pass.")] = (
        LifeCycle()
    )
    arrival: Annotated[
        Arrival,
        Meta(description="When events arrive: delays, late ones, duplicates and conflicts."),
    ] = Arrival()
    writing: Annotated[
        Writing, Meta(description="In which of the permitted ways values are written.")
    ] = Writing()
    messages: Annotated[
        Messages, Meta(description="How events are packed into Event Hubs messages.")
    ] = Messages()
    violations: Annotated[
        Violations,
        Meta(
            description="What is injected for the pipeline to find. Nothing unless it has a share."
        ),
    ] = Violations()
