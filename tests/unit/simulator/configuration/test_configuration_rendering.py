from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from unit.simulator.configuration.any_configuration import CONFIGURATIONS
from unit.simulator.configuration.configuration_texts import NOW, parsed

from simulator.configuration.checks import findings
from simulator.configuration.errors import ConfigurationRefused, Mistake
from simulator.configuration.reading import parse_configuration
from simulator.configuration.rendering import render
from simulator.configuration.shipped_profiles import load_profile, profiles
from simulator.configuration.structure import Configuration

DEFAULTS = render(Configuration())
PIECES = [
    *("null", "-", ": ", "{", "}", "[", "]", "&a ", "*a", "!!x ", "<<: ", "\n", "  ", "#", '"'),
    *("${X}", "${", "extends: steady\n", "0", "-1", "1e999", ".nan", "\t", "\x00", "%", "---\n"),
    *(
        "seed: 1\n",
        "99999999999d",
        "'",
        "|\n",
        "? ",
        "a: b\n",
        "\ud800",
        "é",
        "\u2028",
        "--- ",
        "…",
    ),
]


@given(CONFIGURATIONS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_configuration_rendered_and_read_back_is_equal(configuration: Configuration) -> None:
    assume(not list(findings(configuration, NOW)))
    assert parsed(render(configuration)) == configuration


@pytest.mark.parametrize("name", profiles())
def test_a_profile_rendered_and_read_back_is_equal(name: str) -> None:
    profile = load_profile(name)
    assert parsed(render(profile)) == profile


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from(PIECES) | st.text()),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=150, deadline=None)
def test_a_mutated_document_is_read_or_refused_and_nothing_else(
    mutations: list[tuple[float, int, str]],
) -> None:
    text = DEFAULTS
    for place, cut, piece in mutations:
        at = int(place * len(text))
        text = text[:at] + piece + text[at + cut :]
    refused: Sequence[Mistake] = ()
    try:
        parse_configuration(text, "mine.yaml", environment={}, now=NOW)
    except ConfigurationRefused as error:
        refused = error.mistakes
    assert all(str(mistake).isprintable() for mistake in refused)


def test_every_option_is_written_with_its_meaning_told_once() -> None:
    text = render(load_profile("steady"))
    assert text.startswith("# What this configuration is for, in a sentence.\ndescription: ")
    assert text.count("# 24 weights: when one pays, by the clock of one's country.\n") == 1
    assert "\n\n# Another seed, another simulation of the same kind.\nseed: 7\n" in text
    assert (
        "  # First to last payment, at most; the simulation's end cuts it.\n    within: 20h" in text
    )
    assert text.count("\n    methods:\n") == len(Configuration().categories)
    assert max(map(len, text.split("\n"))) <= 100


def test_lists_of_maps_begin_each_item_with_a_dash() -> None:
    assert "\nsegments:\n    # What you call it.\n  - name: household\n    # How many" in DEFAULTS


def test_what_readers_of_yaml_may_take_for_something_else_stands_in_quotes() -> None:
    text = render(
        parsed(
            "description: 'yes'\n"
            "countries: [{code: NO, currency: NOK, per_dollar: 10, time_zone: Etc/GMT+1}]\n"
            "time: {start: 2026-09-01T02:00:00+02:00, duration: 1h}"
        )
    )
    assert 'description: "yes"' in text
    assert 'code: "NO"' in text
    assert "currency: NOK" in text
    assert 'time_zone: "Etc/GMT+1"' in text
    assert "start: 2026-09-01T00:00:00Z" in text
    assert "duration: 1h" in text


def test_variables_are_written_so_that_they_stay_text() -> None:
    configuration = parsed("description: $${HOME}")
    assert 'description: "$${HOME}"' in render(configuration)
