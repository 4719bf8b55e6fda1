"""The configurations that come with the simulator, by name."""

import os
from collections.abc import Mapping, Sequence
from typing import Final

from simulator.configuration.errors import ConfigurationRefused, Mistake, Place
from simulator.configuration.profile_files import location, profile_names
from simulator.configuration.reading import read_configuration
from simulator.configuration.structure import Configuration
from simulator.configuration.suggestions import did_you_mean

DEFAULT_PROFILE: Final = "steady"


def profiles() -> dict[str, str]:
    """Return the names of the shipped profiles, by the alphabet, with their descriptions."""
    return {name: load_profile(name, environment={}).description for name in profile_names()}


def load_profile(
    name: str,
    overrides: Sequence[str] = (),
    environment: Mapping[str, str] = os.environ,
) -> Configuration:
    """Return a shipped profile under options such as ``time.duration=24h``.

    Raises:
        ConfigurationRefused: there is no such profile, or an option has a mistake.
    """
    if name not in profile_names():
        advice = did_you_mean(name, profile_names())
        raise ConfigurationRefused([Mistake(Place(name), (), "there is no such profile", advice)])
    return read_configuration(location(name), overrides, environment)
