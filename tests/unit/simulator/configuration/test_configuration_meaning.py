from collections.abc import Iterator
from typing import Any

import pytest
from unit.simulator.configuration.configuration_texts import mistakes, parsed

from simulator.configuration.durations import LONGEST, microseconds
from simulator.configuration.schema import configuration_schema
from simulator.configuration.structure import Configuration
from simulator.configuration.time_checks import duration_paths
from simulator.configuration.types import Duration

ZEROS = ", ".join(["0"] * 24)


def of_amounts(amounts: str) -> str:
    return f'categories:\n  - name: a\n    mcc: "5814"\n    amounts: {{distribution: {amounts}}}'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "countries: [{code: DE, currency: EUR, per_dollar: 1, time_zone: Europe/Berln}]",
            (
                "1:65 countries.0.time_zone: 'Europe/Berln' is no time zone of the IANA database;"
                " did you mean Europe/Berlin?"
            ),
        ),
        (
            "countries: [{code: DE, currency: EUR, per_dollar: 1, time_zone: Europe}]",
            (
                "1:65 countries.0.time_zone: 'Europe' is no time zone of the IANA database; did you"
                " mean Europe/Rome?"
            ),
        ),
        (
            "countries: [{code: DE, currency: EUX, per_dollar: 1}]",
            "1:34 countries.0.currency: 'EUX' is no currency of ISO 4217; did you mean EUR?",
        ),
        (
            "countries: [{code: UK, currency: GBP, per_dollar: 1}]",
            "1:20 countries.0.code: 'UK' is no country of ISO 3166-1",
        ),
        (
            "segments: [{name: a}, {name: b}, {name: a}]",
            (
                "1:41 segments.2.name: the name 'a' is given to two of the segments; write another"
                " one, or leave one of them out"
            ),
        ),
        (
            "countries:\n  - &de {code: DE, currency: EUR, per_dollar: 1}\n  - *de",
            (
                "2:16 countries.1.code: the code 'DE' is given to two of the countries; write"
                " another one, or leave one of them out"
            ),
        ),
        (
            "segments: [{name: a, weight: 0}, {name: b, weight: 0}]",
            "1:1 segments: all weights are 0; give at least one of them a weight",
        ),
        (
            "segments: [{name: a, weight: 1e308}, {name: b, weight: 1e308}]",
            "1:1 segments: the weights are too large to be added up; write smaller ones",
        ),
        (
            "countries: [{code: DE, currency: EUR, per_dollar: 1, weight: 0}]",
            "1:1 countries: all weights are 0; give at least one of them a weight",
        ),
        (
            of_amounts("uniform, minimum: 1, maximum: 2") + "\n    weight: 0",
            "1:1 categories: all weights are 0; give at least one of them a weight",
        ),
        (
            of_amounts("uniform, minimum: 1, maximum: 2") + "\n    methods: {}",
            "5:5 categories.0.methods: all weights are 0; give at least one of them a weight",
        ),
        (
            of_amounts("uniform, minimum: 1, maximum: 2") + "\n    channels: {web: 0}",
            "5:5 categories.0.channels: all weights are 0; give at least one of them a weight",
        ),
        (
            "life_cycle: {outcomes: {completed: 0, failed: 0, cancelled: 0}}",
            "1:14 life_cycle.outcomes: all weights are 0; give at least one of them a weight",
        ),
        (
            f"segments: [{{name: a, hours: [{ZEROS}]}}]",
            "1:22 segments.0.hours: all weights are 0; give at least one of them a weight",
        ),
        (
            "rhythm: {weekdays: [0, 0, 0, 0, 0, 0, 0]}",
            "1:10 rhythm.weekdays: all weights are 0; give at least one of them a weight",
        ),
        (
            "arrival: {late_by: [20m, 13m]}",
            (
                "1:11 arrival.late_by: at least '20m' is more than at most '13m'; write the shorter"
                " duration first"
            ),
        ),
        (
            "violations: {future_time: {ahead: [2d, 47h]}}",
            (
                "1:28 violations.future_time.ahead: at least '2d' is more than at most '47h'; write"
                " the shorter duration first"
            ),
        ),
        (
            "rhythm: {holidays: {dates: [02-29, 02-30, 2026-02-29]}}",
            (
                "1:36 rhythm.holidays.dates.1: '02-30' is no day of the calendar; write month-day,"
                " as 12-25|"
                "1:43 rhythm.holidays.dates.2: '2026-02-29' is no day of the calendar; write"
                " month-day, as 12-25"
            ),
        ),
        (
            "rhythm: {pay_days: {days: [1, 0]}}",
            (
                "1:31 rhythm.pay_days.days.1: 0 is no day of a month; days count from 1, and -1 is"
                " the last one"
            ),
        ),
        (
            of_amounts("log_normal, median: 5000"),
            (
                "4:49 categories.0.amounts.median: the median, 5000, is not below the maximum,"
                " 5000; raise the maximum"
            ),
        ),
        (
            of_amounts("log_normal, median: 50, sigma: 6"),
            (
                "4:60 categories.0.amounts.sigma: a sigma of 6 is above 5: hardly any amount can be"
                " paid; lower it; 0.4 to 1.2 are usual"
            ),
        ),
        (
            of_amounts("normal, mean: 7000, deviation: 1"),
            (
                "4:43 categories.0.amounts.mean: the mean, 7000, is not below the maximum, 5000;"
                " raise the maximum"
            ),
        ),
        (
            of_amounts("normal, mean: 7, deviation: 6000"),
            (
                "4:57 categories.0.amounts.deviation: the deviation, 6000, is above the maximum,"
                " 5000: hardly any amount lies below; lower the deviation"
            ),
        ),
        (
            of_amounts("uniform, minimum: 2, maximum: 1"),
            (
                "4:47 categories.0.amounts.minimum: the minimum, 2, is not below the maximum, 1;"
                " raise the maximum"
            ),
        ),
        (
            of_amounts("exponential, mean: 20, maximum: 10"),
            (
                "4:48 categories.0.amounts.mean: the mean, 20, is not below the maximum, 10; raise"
                " the maximum"
            ),
        ),
        (
            of_amounts("bimodal, median: 20, upper_median: 10"),
            (
                "4:46 categories.0.amounts.median: the median, 20, is not below the upper_median,"
                " 10; raise the upper_median"
            ),
        ),
        (
            of_amounts("pareto, minimum: 20, maximum: 10"),
            (
                "4:46 categories.0.amounts.minimum: the minimum, 20, is not below the maximum, 10;"
                " raise the maximum"
            ),
        ),
        (
            of_amounts("pareto, minimum: 20, alpha: 0.0001"),
            (
                "4:57 categories.0.amounts.alpha: with an alpha of 0.0001 hardly any amount lies"
                " between 20 and 5000; raise alpha or the maximum"
            ),
        ),
        (
            of_amounts("uniform, minimum: 1, maximum: 1e9"),
            (
                "4:59 categories.0.amounts.maximum: 1000000000 dollars at 1350 a dollar can come to"
                " more than 100000000000 of a currency; payments cannot be as large; lower one of"
                " them, or a segment's spending"
            ),
        ),
        (
            "segments: [{name: a, spending: 100}]\n"
            + of_amounts("uniform, minimum: 1, maximum: 1e6"),
            (
                "5:59 categories.0.amounts.maximum: 1000000 dollars at 1350 a dollar can come to"
                " more than 100000000000 of a currency; payments cannot be as large; lower one of"
                " them, or a segment's spending"
            ),
        ),
        (
            "violations: {large_amount: {threshold: 1e9}}",
            (
                "1:40 violations.large_amount.threshold: 1000000000 dollars at 1350 a dollar can"
                " come to more than 100000000000 of a currency; payments cannot be as large; lower"
                " one of them, or a segment's spending"
            ),
        ),
        (
            "violations: {orphan_refund: {minimum: 1e9}}",
            (
                "1:39 violations.orphan_refund.minimum: 1000000000 dollars at 1350 a dollar can"
                " come to more than 100000000000 of a currency; payments cannot be as large; lower"
                " one of them, or a segment's spending"
            ),
        ),
        (
            "violations: {structuring: {threshold: 1e12}}",
            (
                "1:39 violations.structuring.threshold: 1000000000000 is more than 100000000000;"
                " lower it"
            ),
        ),
        (
            "time:\n  start: 2026-09-01T00:00:00Z\n  end: 2026-09-02T00:00:00Z\n  duration: 1d",
            (
                "1:1 time: start, end and duration are at most two; leave one of them out, or null"
                " over what is extended"
            ),
        ),
        (
            "time: {start: 2026-09-01T00:00:00Z, end: 2026-09-01T02:00:00+02:00}",
            (
                "1:42 time.end: the end, '2026-09-01T02:00:00+02:00', is not after the start,"
                " '2026-09-01T00:00:00Z'; write a later end"
            ),
        ),
        (
            "time: {start: 1969-09-01T00:00:00Z}",
            (
                "1:15 time.start: '1969-09-01T00:00:00Z' is not in 1970 to 2199; write a year of"
                " four digits between them"
            ),
        ),
        (
            "time: {duration: 0s}",
            "1:18 time.duration: '0s' is no time at all; write at least 1s",
        ),
        (
            "time: {duration: 99999999999999999999d}",
            (
                "1:18 time.duration: '99999999999999999999d' is longer than 3660 days; write a"
                " shorter one"
            ),
        ),
        (
            "violations: {fan_in: {within: 0.0001ms}}",
            "1:31 violations.fan_in.within: '0.0001ms' is no time at all; write at least 1s",
        ),
        (
            "time: {live: true, end: 2026-11-01T00:00:00Z}\nvolume: {payments: 5}",
            (
                "1:25 time.end: a live simulation has no end by the clock; write a duration, or"
                " leave out live"
            ),
        ),
        (
            "time: {live: true, speed_up: 2, duration: 1h}",
            (
                "1:30 time.speed_up: at 2 times its speed a live simulation overtakes the clock;"
                " let time.start lie in the past, or leave out live"
            ),
        ),
        (
            "time: {live: true, speed_up: 2, duration: 1h, start: 2026-10-01T12:00:00Z}",
            (
                "1:30 time.speed_up: at 2 times its speed a live simulation overtakes the clock;"
                " let time.start lie in the past, or leave out live"
            ),
        ),
        (
            "time: {live: true}",
            (
                "1:14 time.live: a live simulation without an end needs a rate; write volume.rate,"
                " such as 20"
            ),
        ),
        (
            "time: {duration: 1h}\nvolume: {rate: 10, payments: 40000}",
            (
                "2:30 volume.payments: 40000 payments are not what 10 in a second come to in that"
                " time; leave out one of volume.payments, volume.rate and the duration"
            ),
        ),
        (
            (
                "time: {start: 2026-09-01T00:00:00Z, end: 2026-09-01T01:00:00Z}\n"
                "volume: {rate: 10, payments: 30000}"
            ),
            (
                "2:30 volume.payments: 30000 payments are not what 10 in a second come to in that"
                " time; leave out one of volume.payments, volume.rate and the duration"
            ),
        ),
        (
            "volume: {rate: 1e12}",
            (
                "1:16 volume.rate: 1000000000000 in a second make more than"
                " 1000000000000000 payments in all; simulate less"
            ),
        ),
        (
            "volume: {rate: 0.00001, payments: 1000000}",
            (
                "1:16 volume.rate: at 1e-05 in a second 1000000 payments take longer than 3660"
                " days; raise the rate"
            ),
        ),
        (
            "violations:\n  lookalike_share: 0.1\n  fan_in: {share: 0.2}\n  cycle: {share: 0.21}",
            (
                "1:1 violations: all shares of violations and lookalikes add up to more than 0.5;"
                " lower some of them, or leave them out"
            ),
        ),
    ],
)
def test_what_contradicts_itself_or_does_not_exist_is_told(text: str, message: str) -> None:
    assert mistakes(text) == [f"mine.yaml:{each}" for each in message.split("|")]


@pytest.mark.parametrize(
    "text",
    [
        "time: {duration: 1h}\nvolume: {rate: 10, payments: 36100}",
        "time: {live: true}\nvolume: {rate: 5}",
        "time: {live: true}\nvolume: {payments: 5}",
        "time: {live: true, speed_up: 60, start: 2026-10-01T11:59:59Z, duration: 1h}",
        "time: {start: 2026-09-01T00:03:00Z, end: 2026-09-01T00:03:01Z}",
        "arrival: {delay: 0s, late_by: [0s, 0s]}\nmessages: {linger: 0s}",
        "violations: {lookalike_share: 0.1, fan_in: {share: 0.2}, fan_out: {share: 0.2}}",
        "rhythm: {holidays: {dates: []}, pay_days: {days: []}}",
        "volume: {rate: 0.001, payments: 1000}",
    ],
)
def test_what_is_just_allowed_is_no_mistake(text: str) -> None:
    assert isinstance(parsed(text), Configuration)


def test_every_duration_of_the_schema_is_checked() -> None:
    configuration = parsed("time: {duration: 1h}\nmessages: {linger: 1s}")
    checked = {tuple(map(str, path)) for path in duration_paths(configuration)}
    assert checked == set(durations_of("Configuration", ()))


def durations_of(kind: str, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    pattern = Duration.__value__.__metadata__[0].pattern
    for name, option in configuration_schema()["$defs"][kind]["properties"].items():
        choices: list[Any] = [option, *option.get("anyOf", [])]
        if any(each.get("pattern") == pattern for each in choices):
            yield (*path, name)
        for position, each in enumerate(option.get("prefixItems", [])):
            assert each["pattern"] == pattern
            yield (*path, name, str(position))
        if "$ref" in option:
            yield from durations_of(option["$ref"].rpartition("/")[2], (*path, name))


@pytest.mark.parametrize(
    ("duration", "length"),
    [
        ("250ms", 250_000),
        ("1.5s", 1_500_000),
        ("2m", 120_000_000),
        ("1h", 3_600_000_000),
        ("1d", 86_400_000_000),
        ("0.0001ms", 0),
        ("9" * 500 + "d", LONGEST + 1),
    ],
)
def test_durations_are_exact_to_the_microsecond(duration: str, length: int) -> None:
    assert microseconds(duration) == length


def test_what_is_no_duration_has_no_length() -> None:
    with pytest.raises(ValueError, match="expected a duration such as 90s or 24h, found '90'"):
        microseconds("90")
