import pytest

from simulator.configuration.checks import share_paths
from simulator.configuration.errors import ConfigurationRefused
from simulator.configuration.findings import value_at
from simulator.configuration.shipped_profiles import DEFAULT_PROFILE, load_profile, profiles
from simulator.configuration.structure import Configuration
from simulator.violations.catalogue import KINDS


def shares(configuration: Configuration) -> dict[str, float]:
    kinds = share_paths(configuration)[1:]
    return {str(path[1]): value_at(configuration, path) for path in kinds}


def occurrences_of(configuration: Configuration, payments: int) -> dict[str, float]:
    """Return about how often each kind of violation occurs."""
    subtlety = configuration.violations.subtlety
    return {
        kind.name: shares(configuration)[kind.name] * payments / kind.events(subtlety)
        for kind in KINDS
    }


def test_profiles_describe_themselves() -> None:
    told = profiles()
    named = {"black-friday", "chaos", "clean", "fraud-wave", "mixed", "month-end", "steady"}
    assert named <= set(told)
    assert list(told) == sorted(told)
    assert all(description.endswith(".") for description in told.values())
    assert len(set(told.values())) == len(told)


def test_an_unknown_profile_is_told() -> None:
    with pytest.raises(ConfigurationRefused) as caught:
        load_profile("blackfriday")
    assert str(caught.value) == (
        "blackfriday: there is no such profile; did you mean black-friday?"
    )


def test_options_are_laid_over_a_profile() -> None:
    assert load_profile("mixed", ["volume.payments=500"]).volume.payments == 500


def test_the_default_profile_has_a_little_of_everything_over_the_defaults() -> None:
    steady, plain = load_profile(DEFAULT_PROFILE), Configuration()
    assert all(share > 0 for share in shares(steady).values())
    assert 0.025 <= sum(shares(steady).values()) <= 0.035
    assert min(occurrences_of(steady, 20_000).values()) > 1.5
    assert (steady.volume, steady.time, steady.arrival) == (plain.volume, plain.time, plain.arrival)
    assert steady.arrival.duplicate_share > 0
    assert steady.arrival.conflict_share > 0
    assert steady.arrival.late_share > 0


def test_the_clean_profile_injects_nothing() -> None:
    assert not any(shares(load_profile("clean")).values())


def test_black_friday_is_a_rush_with_a_peak_in_the_evening() -> None:
    rush, steady = load_profile("black-friday"), load_profile("steady")
    assert rush.volume.rate is not None
    assert rush.volume.rate >= 3 * 20_000 / 1_800
    for segment in rush.segments[:3]:
        assert segment.hours.index(max(segment.hours)) in range(18, 22)
    weights = {each.name: each.weight for each in rush.categories}
    assert weights["electronics"] + weights["clothing"] >= sum(weights.values()) / 2
    assert rush.arrival.duplicate_share > steady.arrival.duplicate_share
    assert rush.arrival.late_share > steady.arrival.late_share
    assert (rush.violations.account_takeover.subtlety or 0) > 0.5


def test_a_fraud_wave_consists_of_fraud() -> None:
    wave = load_profile("fraud-wave")
    assert wave.violations.subtlety == 0.3
    found = shares(wave)
    kinds = ["card_testing", "account_takeover", "impossible_travel", "rapid_fire"]
    assert sum(found[kind] for kind in kinds) > sum(found.values()) / 2


def test_at_the_end_of_the_month_large_sums_move() -> None:
    end, steady = load_profile("month-end"), load_profile("steady")
    assert end.rhythm.pay_days.factor > steady.rhythm.pay_days.factor
    assert end.life_cycle.refund_share > steady.life_cycle.refund_share
    assert end.violations.lookalike_share > steady.violations.lookalike_share
    for kind in ("structuring", "large_amount", "fan_out"):
        assert shares(end)[kind] > shares(steady)[kind]


def test_in_chaos_a_large_part_is_broken() -> None:
    chaos = load_profile("chaos")
    assert sum(shares(chaos).values()) >= 0.4
    assert min(chaos.arrival.duplicate_share, chaos.arrival.late_share) >= 0.1
    assert chaos.violations.oversized_metadata.share > 0


def test_the_scored_profile_has_thirty_occurrences_of_every_violation() -> None:
    mixed = load_profile("mixed")
    payments = mixed.volume.payments
    assert payments == 200_000
    assert mixed.time.duration == "24h"
    assert (mixed.population.customers, mixed.population.merchants) == (10_000, 1_500)
    assert mixed.violations.lookalike_share == 0.01
    occurrences = occurrences_of(mixed, payments)
    assert set(occurrences) == set(shares(mixed))
    assert min(occurrences.values()) >= 30, occurrences
