"""Runs simulations through the whole pipeline, and scores what it found."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final, NamedTuple

from rich.console import Console

from demo.local_pipeline import fresh_pipeline
from local_azure.errors import LocalAzureError
from shared_code.domain.windows import EPOCH, WINDOW_LENGTH, Window
from simulator.configuration.shipped_profiles import load_profile
from simulator.configuration.structure import Configuration
from simulator.configuration.violation_settings import Violation, Violations
from simulator.ledger import Ledger
from simulator.score.outcome import Score
from simulator.score.reading import open_windows, pipeline_database
from simulator.score.scoring import score
from simulator.simulation import simulate

PROFILE: Final = "mixed"
_FOLDER: Final = "scoring"
_PAUSE_SECONDS: Final = 1.0
_VAIN_TRIES: Final = 60


class WindowsStayOpen(LocalAzureError):
    """Windows that have ended are not closed, however often the function is run."""

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting} windows stay open; the log of the functions says why")


class Wanted(NamedTuple):
    """What a run simulates.

    Attributes:
        payments: how many.
        seed: of the simulator.
        subtlety: of all violations; that of the profile if None.
    """

    payments: int
    seed: int
    subtlety: float | None = None


def configuration_of(wanted: Wanted) -> Configuration:
    """Return the profile as a run wants it: with one subtlety, where one is given, for all kinds.

    Raises:
        ConfigurationRefused: a value is out of its limits.
    """
    options = [f"volume.payments={wanted.payments}", f"seed={wanted.seed}"]
    if wanted.subtlety is not None:
        plain = Violations()
        kinds = [
            name for name in plain.__struct_fields__ if isinstance(getattr(plain, name), Violation)
        ]
        options.append(f"violations.subtlety={wanted.subtlety}")
        options += [f"violations.{kind}.subtlety={wanted.subtlety}" for kind in kinds]
    return load_profile(PROFILE, options, environment={})


def run(wanted: Wanted, console: Console, *, examples: int) -> tuple[Ledger, Score]:
    """Simulate payments, send them through a fresh pipeline, close the windows, and score it.

    Args:
        wanted: what to simulate.
        console: for people.
        examples: how many missed and false ones of each kind to name at most.

    Raises:
        LocalAzureError: the pipeline does not start, or does not finish.
        SimulatorError: the simulation cannot be made, sent or scored.
    """
    simulation = simulate(configuration_of(wanted))
    with fresh_pipeline(console, _FOLDER) as pipeline:
        pipeline.send(simulation, simulation.expected_payments)
        console.print("closing the windows ...")
        url = pipeline.local.settings["DATABASE_URL"]
        close_all(pipeline.close_windows, partial(ended_windows, url))
        with pipeline_database(url, {}) as connection:
            return simulation.ledger, score(connection, simulation.ledger, examples=examples)


def close_all(
    close: Callable[[], None], waiting: Callable[[], int], pause: float = _PAUSE_SECONDS
) -> None:
    """Close windows until none waits any more, those that were reached meanwhile included.

    Args:
        close: closes what it can.
        waiting: counts the windows that have ended and wait.
        pause: in seconds, where closing was in vain: a tick of the timer may be at it.

    Raises:
        WindowsStayOpen: that does not come to an end.
    """
    before, vain = waiting(), 0
    while before:
        close()
        left = waiting()
        vain = vain + 1 if left >= before else 0
        if vain == _VAIN_TRIES:
            raise WindowsStayOpen(left)
        if vain:
            time.sleep(pause)
        before = left


def ended_windows(database_url: str) -> int:
    """Return how many windows wait that have ended."""
    ended = Window(EPOCH, datetime.now(UTC) - WINDOW_LENGTH)
    with pipeline_database(database_url, {}) as connection:
        return open_windows(connection, ended)
