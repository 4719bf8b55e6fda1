"""Which configuration a command is about: a profile or a file, and options laid over it."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from simulator.cli.argument_types import count, moment, positive
from simulator.configuration.errors import ConfigurationRefused
from simulator.configuration.reloading import WatchedConfiguration
from simulator.configuration.shipped_profiles import DEFAULT_PROFILE, load_profile
from simulator.configuration.structure import Configuration

# Options that are short for a path of the configuration.
_SHORTCUTS: Final[Mapping[str, tuple[str, Callable[[str], Any], str, str]]] = {
    "payments": ("volume.payments", count, "N", "distinct valid payment events, exactly"),
    "seed": ("seed", str, "N", "another seed, another simulation"),
    "duration": ("time.duration", str, "TIME", "simulated time, such as 30m, 24h or 7d"),
    "start": ("time.start", moment, "TIME", "first moment, RFC 3339 with offset"),
    "end": ("time.end", moment, "TIME", "event times lie before, RFC 3339 with offset"),
    "speed_up": ("time.speed_up", positive, "N", "simulated seconds in a second"),
    "pack": ("messages.pack", count, "N", "most payments in one message"),
}


def add_configuration(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose a configuration."""
    what = parser.add_argument_group("what")
    source = what.add_mutually_exclusive_group()
    source.add_argument(
        "--profile",
        metavar="NAME",
        default=DEFAULT_PROFILE,
        help=f"a ready-made configuration; `profiles` lists them (default: {DEFAULT_PROFILE})",
    )
    source.add_argument(
        "--config",
        type=Path,
        metavar="FILE.yaml",
        help="your own; edits of it take effect while the simulation runs",
    )
    what.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="lay one option over it, such as arrival.late_share=0; may be repeated",
    )
    for name, (_, kind, metavar, meaning) in _SHORTCUTS.items():
        what.add_argument(f"--{name.replace('_', '-')}", type=kind, metavar=metavar, help=meaning)
    what.add_argument(
        "--live",
        action="store_true",
        help="begin now and pass as fast as the clock; endless without --duration or --payments",
    )


def overrides_of(options: argparse.Namespace) -> list[str]:
    """Return the options of the command line as paths and values of the configuration."""
    overrides = list(options.overrides)
    for name, (path, *_) in _SHORTCUTS.items():
        value = getattr(options, name)
        if value is not None:
            text = value.isoformat() if hasattr(value, "isoformat") else value
            overrides.append(f"{path}={text}")
    if options.live:
        overrides.append("time.live=true")
    return overrides


def chosen_configuration(options: argparse.Namespace) -> Configuration:
    """Return the configuration that the options ask for.

    Raises:
        ConfigurationRefused: with every mistake in it.
    """
    if options.config is not None:
        return watched_configuration(options, lambda _: None).configuration
    return load_profile(options.profile, overrides_of(options))


def watched_configuration(
    options: argparse.Namespace, on_refused: Callable[[ConfigurationRefused], None]
) -> WatchedConfiguration:
    """Return the configuration of ``--config``, to be asked for edits.

    Raises:
        ConfigurationRefused: with every mistake in it.
    """
    return WatchedConfiguration(options.config, overrides_of(options), on_refused=on_refused)
