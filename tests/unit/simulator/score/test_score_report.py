"""A score is shown on a terminal of 80 columns, with all that people go on with."""

from datetime import timedelta
from io import StringIO

import pytest
from rich.console import Console
from unit.simulator.score.score_samples import START, kind_score, whole_score

from simulator.score import wording
from simulator.score.outcome import FalseDetection, Missed, RuleCount, Score, SignalCount
from simulator.score.rates import Delay, rate
from simulator.score.report import print_score

MISSED = Missed(
    incident="rapid_fire-7",
    subject={"customer.id": "cus-1"},
    events=17,
    first=START,
    last=START + timedelta(minutes=1),
    transaction_id="t17",
    hint="customer_rapid_fire reached 17",
    explain="python -m shared_code rules explain t17 --rule customer_rapid_fire" + "x" * 40,
)
FALSE = FalseDetection(
    signal="refused not_json",
    subject={"body_hash": "ab" * 16},
    first=None,
    last=None,
    explain=None,
)
FULL = whole_score(
    kind_score(
        "rapid_fire",
        (966, 1_000),
        (45, 48),
        detected_after=Delay(3, 42.0, 600.0),
        missed=(MISSED,),
    ),
    kind_score(
        "cycle",
        (0, 9),
        (0, 0),
        found_by=(SignalCount("alert customer_daily_sum", 7), SignalCount("match large", 2)),
    ),
    kind_score(
        "malformed_json",
        (8, 8),
        (8, 9),
        family="data quality",
        unit="event",
        known_after=Delay(8, 0.25, 1.5),
        found_by=(SignalCount("refused not_json", 8), SignalCount("refused other", 1)),
        false_detections=(FALSE,),
    ),
    alerts=77,
    unexplained=(RuleCount("customer_refunds", 4), RuleCount("duplicate_payment", 1)),
    withdrawn=2,
    suppressed=1,
    notes=("3 windows are open",),
)


def printed(score: Score) -> list[str]:
    console = Console(file=StringIO(), width=80)
    print_score(console, score)
    assert isinstance(console.file, StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_each_kind_has_a_line_under_its_family() -> None:
    lines = [" ".join(line.split()) for line in printed(FULL)]
    places = [lines.index(family) for family in ("money laundering", "data quality")]
    assert lines[places[0] + 1 : places[0] + 3] == [
        "rapid_fire 966/1000 0.96 .95-.98 45/48 0.93 .83-.98 0.95 42s 10m",
        "cycle 0/9 0.00 0-.30",
    ]
    assert lines[places[1] + 1] == (
        "malformed_json 8/8 1.00 .68-1 8/9 0.88 .57-.98 0.94 ~0.2s 1.5s"
    )


def test_the_worst_kinds_follow_the_table() -> None:
    assert "worst: recall 0.00 (cycle), precision 0.88 (malformed_json)" in printed(FULL)


def test_incidents_tell_what_found_them_if_several_signals_did() -> None:
    lines = [line for line in printed(FULL) if "found by" in line]
    assert lines == ["cycle found by customer_daily_sum 7, large 2"]


def test_nothing_is_swept_under_the_carpet() -> None:
    text = " ".join(printed(FULL))
    assert (
        "unexplained alerts: 5 of 77 belong to nothing injected:"
        " customer_refunds 4, duplicate_payment 1"
    ) in text
    assert "not counted as detections: 2 withdrawn and 1 suppressed alerts" in text
    assert "note: 3 windows are open" in text


def test_examples_tell_who_when_why_and_how_to_go_on() -> None:
    lines = printed(FULL)
    at = lines.index("rapid_fire: missed, 34 in all")
    assert lines[at + 1 : at + 3] == [
        (
            "  rapid_fire-7: customer.id=cus-1, 17 events, 2026-03-04 10:00:00 to 10:01:00;"
            " customer_rapid_fire reached 17"
        ),
        f"    {MISSED.explain}",
    ]
    at = lines.index("malformed_json: found falsely, 1 in all")
    assert lines[at + 1] == f"  refused not_json: body_hash={'ab' * 16}"


def test_a_score_of_nothing_says_so() -> None:
    assert printed(whole_score(alerts=3)) == [
        "nothing was injected, and nothing was found that should have been",
        "unexplained alerts: 0 of 3 belong to nothing injected",
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ""), (1.0, "1.00"), (0.999, "0.99"), (0.29, "0.29"), (0.57, "0.57"), (0.0, "0.00")],
)
def test_shares_are_cut_so_that_nearly_all_is_not_all(value: float | None, shown: str) -> None:
    assert wording.share(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.04, "0.0s"),
        (9.94, "9.9s"),
        (75, "75s"),
        (130, "2m"),
        (7_100, "118m"),
        (9_000, "2.5h"),
        (90_000, "25h"),
    ],
)
def test_durations_have_one_unit(seconds: float, shown: str) -> None:
    assert wording.duration(seconds) == shown


def test_times_over_midnight_have_both_dates() -> None:
    assert wording.when(START, START) == "2026-03-04 10:00:00"
    later = START + timedelta(hours=20)
    assert wording.when(START, later) == "2026-03-04 10:00:00 to 2026-03-05 06:00:00"
    assert wording.when(None, None) == ""
    assert wording.interval(rate(0, 0)) == ""
