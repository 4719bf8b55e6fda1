"""The table of detectors speaks of every kind, and only of signals that exist."""

import json
from pathlib import Path

import pytest

from shared_code.domain.vocabularies import QualityFlag, RejectReason
from simulator.configuration.violation_settings import Violation, Violations
from simulator.score.detectors import (
    ALSO_RAISED_BY,
    DETECTORS,
    KINDS,
    KINDS_WITH_GOAL,
    Signal,
    raised_by,
)

ROOT = Path(__file__).parents[4]
RULES = json.loads((ROOT / "rules/metric_derivation_rules.json").read_text("utf-8"))["rules"]
SCOPES = {rule["id"]: rule["scope"] for rule in RULES}
ALERTING = {rule["id"] for rule in RULES if "alert" in rule}
SIGNALS = sorted({signal for detector in DETECTORS for signal in detector.signals})
WITHOUT_GOAL = {
    "layering",
    "cycle",
    "scatter_gather",
    "account_takeover",
    "high_risk_country",
    "failure_burst",
}


def test_there_is_one_detector_for_each_kind_of_the_configuration() -> None:
    plain = Violations()
    kinds = [
        name for name in Violations.__struct_fields__ if isinstance(getattr(plain, name), Violation)
    ]
    assert list(KINDS) == kinds


def test_kinds_of_a_family_stand_together() -> None:
    families = [detector.family for detector in DETECTORS]
    assert families == sorted(families, key=families.index)


@pytest.mark.parametrize("signal", SIGNALS, ids=str)
def test_signals_exist(signal: Signal) -> None:
    match signal.source:
        case "flag":
            assert signal.name in QualityFlag.__members__
        case "refused":
            assert signal.name in RejectReason.__members__
        case "match":
            assert SCOPES[signal.name] == "transaction"
        case "alert":
            assert signal.name in ALERTING


def test_what_else_raises_a_signal_is_told_of_signals_that_somebody_owns() -> None:
    own = {signal for detector in DETECTORS for signal in detector.own}
    assert set(ALSO_RAISED_BY) <= own
    assert frozenset().union(*ALSO_RAISED_BY.values()) <= set(KINDS)


def test_own_signals_of_incidents_are_alerts() -> None:
    sources = {
        signal.source
        for detector in DETECTORS
        if detector.unit == "incident"
        for signal in detector.own
    }
    assert sources == {"alert"}


def test_every_reason_of_refusal_is_a_kinds_but_for_those_that_nobody_injects() -> None:
    spoken_of = {signal.name for signal in SIGNALS if signal.source == "refused"}
    # Conflicts belong to how events arrive, and the database's refusals to defects.
    assert set(RejectReason) - spoken_of == {"conflicting_duplicate", "refused_by_database"}


def test_a_signal_is_raised_by_all_that_it_finds_and_by_what_the_table_names() -> None:
    assert raised_by(Signal("refused", "not_json")) == {"malformed_json", "truncated_message"}
    assert raised_by(Signal("alert", "fan_in_transfers")) == {"fan_in", "scatter_gather"}
    assert raised_by(Signal("alert", "impossible_travel")) == {
        "impossible_travel",
        "account_takeover",
    }


def test_all_but_the_hardest_kinds_have_a_goal() -> None:
    assert set(KINDS) - set(KINDS_WITH_GOAL) == WITHOUT_GOAL
