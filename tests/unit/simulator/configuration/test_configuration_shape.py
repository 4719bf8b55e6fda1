import pytest
from unit.simulator.configuration.configuration_texts import mistakes, parsed

CATEGORY = "categories:\n  - {{name: {name}, mcc: {mcc}, amounts: {amounts}}}"
AMOUNTS = "{distribution: uniform, minimum: 1, maximum: 2}"


def category(name: str = "coffee", mcc: str = '"5814"', amounts: str = AMOUNTS) -> str:
    return CATEGORY.format(name=name, mcc=mcc, amounts=amounts)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: x", "1:7 seed: expected a whole number, found 'x'"),
        ("seed: 1.5", "1:7 seed: expected a whole number, found 1.5"),
        ("seed: -1", "1:7 seed: expected at least 0, found -1"),
        (
            "seed: 1_000_000",
            (
                "1:7 seed: expected a whole number, found '1_000_000'; write 1000000, without"
                " quotes or separators"
            ),
        ),
        (
            'seed: "12"',
            "1:7 seed: expected a whole number, found '12'; write 12, without quotes or separators",
        ),
        (
            f"seed: {'1' * 70}",
            "1:7 seed: expected at most 9007199254740992, found 1.1111111111111112e+69",
        ),
        (
            f"seed: a{'1' * 70}",
            f"1:7 seed: expected a whole number, found 'a{'1' * 59}'...",
        ),
        (
            "seed:",
            (
                "1:6 seed: expected a whole number, found nothing; give it a value, or leave the"
                " option out"
            ),
        ),
        ("seed: {a: 1}", "1:1 seed: expected a whole number, found a map"),
        ("seed: [1]", "1:1 seed: expected a whole number, found a list of 1"),
        ("seed: true", "1:7 seed: expected a whole number, found true"),
        ("description: 5", '1:14 description: expected text, found 5; put it in quotes: "5"'),
        ("description: true", "1:14 description: expected text, found true"),
        ("time: 3", "1:7 time: expected a map, found 3"),
        (
            "time:",
            "1:6 time: expected a map, found nothing; give it a value, or leave the option out",
        ),
        (
            "time:\n  live: on",
            "2:9 time.live: expected true or false, found 'on'; write true, without quotes",
        ),
        (
            "time: {live: 0}",
            "1:14 time.live: expected true or false, found 0; write false, without quotes",
        ),
        ("time: {live: maybe}", "1:14 time.live: expected true or false, found 'maybe'"),
        (
            "time: {duration: 30 min}",
            (
                "1:18 time.duration: expected a duration (a number and one of ms, s, m, h, d),"
                " found '30 min'; did you mean 30m?"
            ),
        ),
        (
            "time: {duration: soon}",
            (
                "1:18 time.duration: expected a duration (a number and one of ms, s, m, h, d),"
                " found 'soon'"
            ),
        ),
        (
            'time: {duration: "5m\\n"}',
            (
                "1:18 time.duration: expected a duration (a number and one of ms, s, m, h, d),"
                " found '5m\\n'; did you mean 5m?"
            ),
        ),
        (
            "time: {duration: 30}",
            (
                "1:18 time.duration: expected a duration (a number and one of ms, s, m, h, d),"
                " found 30; add a unit: 30s, 30m or 30h"
            ),
        ),
        (
            "time: {start: 2026-09-01T08:00:00}",
            (
                "1:15 time.start: expected a moment with its offset, such as 2026-10-01T08:00:00Z,"
                " found '2026-09-01T08:00:00'; did you mean 2026-09-01T08:00:00Z?"
            ),
        ),
        (
            "time: {start: today}",
            (
                "1:15 time.start: expected a moment with its offset, such as 2026-10-01T08:00:00Z,"
                " found 'today'"
            ),
        ),
        ("time: {start: 5}", '1:15 time.start: expected text, found 5; put it in quotes: "5"'),
        ("volume: {rate: 0}", "1:16 volume.rate: expected more than 0, found 0"),
        (
            "population: {abroad_share: 20}",
            (
                "1:28 population.abroad_share: expected at most 1, found 20; shares are parts of"
                " one: did you mean 0.2?"
            ),
        ),
        (
            "population: {abroad_share: 3%}",
            "1:28 population.abroad_share: expected a number, found '3%'; did you mean 0.03?",
        ),
        ("messages: {pack: 9000}", "1:18 messages.pack: expected at most 5000, found 9000"),
        (
            "population: {customer_exponent: 400}",
            "1:33 population.customer_exponent: expected at most 10, found 400",
        ),
        (
            "rhythm: {weekdays: [1, 2]}",
            "1:10 rhythm.weekdays: expected 7 values, found a list of 2",
        ),
        (
            "rhythm: {weekdays: 1}",
            (
                "1:20 rhythm.weekdays: expected a list, found 1; write the whole list, each value"
                " after a dash or all in [brackets]"
            ),
        ),
        (
            "rhythm: {holidays: {dates: [24.12.]}}",
            (
                "1:29 rhythm.holidays.dates.0: expected a date such as 12-25 or 2026-12-25, found"
                " '24.12.'"
            ),
        ),
        (
            "arrival: {late_by: [1m, 2m, 3m]}",
            "1:11 arrival.late_by: expected 2 values, found a list of 3",
        ),
        ("segments: []", "1:1 segments: expected at least 1 values, found a list of 0"),
        (
            "segments: [{name: Night Owl}]",
            (
                "1:19 segments.0.name: expected a name of lower-case letters, digits and"
                " underscores, found 'Night Owl'; did you mean night_owl?"
            ),
        ),
        (
            f"segments: [{{name: {'a' * 65}}}]",
            f"1:19 segments.0.name: expected at most 64 characters, found '{'a' * 60}'...",
        ),
        ("segments: [{weight: 1}]", "1:12 segments.0: name is missing; What you call it."),
        (
            "countries: [{code: DE, currency: eur, per_dollar: 1}]",
            (
                "1:34 countries.0.currency: expected a currency as three capital letters (ISO"
                " 4217), found 'eur'; did you mean EUR?"
            ),
        ),
        (
            "countries: [{code: Germany, currency: EUR, per_dollar: 1}]",
            (
                "1:20 countries.0.code: expected a country as two capital letters (ISO 3166-1),"
                " found 'Germany'"
            ),
        ),
        (
            "countries: [{code: DE, currency: EUR}]",
            (
                "1:13 countries.0: per_dollar is missing; Units of the currency for a US dollar; a"
                " round figure will do."
            ),
        ),
        (
            category(mcc="5814"),
            (
                "2:25 categories.0.mcc: expected a merchant category of four digits (ISO 18245),"
                ' found 5814; put it in quotes: "5814"'
            ),
        ),
        (
            category(amounts="3"),
            "2:42 categories.0.amounts: expected a map, found 3",
        ),
        (
            category(amounts="{median: 3}"),
            (
                "2:33 categories.0.amounts: distribution is missing; known are log_normal, normal,"
                " uniform, exponential, bimodal, pareto"
            ),
        ),
        (
            category(amounts="{distribution: lognormal}"),
            (
                "2:57 categories.0.amounts.distribution: 'lognormal' is not known here; did you"
                " mean log_normal?"
            ),
        ),
        (
            category(amounts="{distribution: 5}"),
            (
                "2:57 categories.0.amounts.distribution: 5 is not known here; known are log_normal,"
                " normal, uniform, exponential, bimodal, pareto"
            ),
        ),
        (
            category(amounts="{distribution: normal, mean: 5, deviation: x}"),
            "2:85 categories.0.amounts.deviation: expected a number, found 'x'",
        ),
        (
            "violations: {structring: {share: 0.1}}",
            (
                "1:14 violations.structring: the option 'structring' is not known here; did you"
                " mean structuring?"
            ),
        ),
        (
            "duplicate_share: 0.1",
            (
                "1:1 duplicate_share: the option 'duplicate_share' is not known here; did you mean"
                " arrival.duplicate_share?"
            ),
        ),
        (
            "volume: {zzz: 0.1}",
            "1:10 volume.zzz: the option 'zzz' is not known here; known are payments, rate",
        ),
        (
            f'"{"z" * 70}\\n": 1',
            f"1:1 {'z' * 60}...: the option '{'z' * 60}'... is not known here",
        ),
        ('"a\\nb": 1', "1:1 'a\\nb': the option 'a\\nb' is not known here"),
        ("zzz: 0.1", "1:1 zzz: the option 'zzz' is not known here"),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(text: str, message: str) -> None:
    assert mistakes(text) == [f"mine.yaml:{message}"]


def test_values_that_may_be_absent_may_be_null() -> None:
    configuration = parsed("volume: {payments: null, rate: 5}\ntime: {start: null}")
    assert configuration.volume.payments is None


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    told = mistakes(
        "seed: 1\nseed: 2\n"
        "time: {start: 2026-09-02T00:00:00Z, end: 2026-09-01T00:00:00Z}\n"
        "volume: {rate: ${RATE}\n}\nviolations:\n  fan_in: {share: 7}\n".replace("${RATE}", "x")
    )
    assert [line.split(" ")[0] for line in told] == [
        "mine.yaml:2:1",
        "mine.yaml:3:42",
        "mine.yaml:4:16",
        "mine.yaml:7:19",
    ]


def test_a_mistake_in_one_item_leaves_the_others_to_be_checked() -> None:
    told = mistakes(
        "countries:\n"
        "  - {code: de, currency: EUR, per_dollar: 1}\n"
        "  - {code: FR, currency: EUR, per_dollar: 1, time_zone: Europe/Pari}\n"
        "  - {code: IT, currency: EUR, per_dollar: 1, weight: 0}\n"
    )
    assert [line.split(" ")[:2] for line in told] == [
        ["mine.yaml:2:12", "countries.0.code:"],
        ["mine.yaml:3:57", "countries.1.time_zone:"],
    ]


def test_nothing_is_concluded_from_what_has_a_mistake() -> None:
    told = mistakes(
        "segments:\n  - {name: a, weight: -1}\n  - {name: b, weight: 0}\n"
        "categories:\n  - {name: c}\n"
        "time: {live: true}\nvolume: {rate: x}\n"
    )
    assert [line.split(" ")[1] for line in told] == [
        "segments.0.weight:",
        "categories.0:",
        "categories.0:",
        "volume.rate:",
    ]
