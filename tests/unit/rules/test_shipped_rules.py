"""Each rule that ships finds what its description says, and leaves the near miss alone."""

import json
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from jsonschema import Draft202012Validator
from unit.rules.rule_samples import columns_of
from unit.rules.shipped_behaviour_cases import SCORE_CASES, SEQUENCE_CASES, VELOCITY_CASES
from unit.rules.shipped_payment_cases import TRANSACTION_CASES, WINDOW_CASES
from unit.rules.shipped_samples import DAY, RULES_FILE, Case, at, found, outcomes, refund

from shared_code.rules.compiler import CompiledRules, compile_document
from shared_code.rules.document import Rule
from shared_code.rules.dry_run import dry_run
from shared_code.rules.shape import SCHEMA_FILE

CASES: dict[str, dict[str, Case]] = {
    "transaction": TRANSACTION_CASES,
    "window": WINDOW_CASES,
    "velocity": VELOCITY_CASES,
    "sequence": SEQUENCE_CASES,
    "score": SCORE_CASES,
}
CASES_BY_RULE = {rule: case for cases in CASES.values() for rule, case in cases.items()}
SHIPPED = compile_document(RULES_FILE.read_bytes())
# How many minutes velocity rules look back, where it is not a day.
SPANS = {"customer_rapid_fire": 1, "merchant_failure_burst": 10, "merchant_card_testing": 60}
SOURCE = re.compile(
    r"Directive|Regulation|CFR|USC|FATF|FFIEC|ACFE|PCI DSS|Visa|Mastercard|ISO|[Jj]udgement"
)
THRESHOLD = re.compile(r"[Jj]udgement|No threshold|articles? |CFR|requirement|FATF recommendation")


@pytest.fixture(scope="module")
def shipped() -> CompiledRules:
    return SHIPPED


def test_the_shipped_document_is_valid_even_for_an_editor() -> None:
    schema = json.loads(SCHEMA_FILE.read_text("utf-8"))
    document = json.loads(RULES_FILE.read_text("utf-8"))
    assert list(Draft202012Validator(schema).iter_errors(document)) == []
    assert (RULES_FILE.parent / document["$schema"]).resolve() == SCHEMA_FILE.resolve()


def test_there_are_rules_of_every_scope_all_enabled_and_each_tried_here(
    shipped: CompiledRules,
) -> None:
    rules = shipped.document.rules
    assert len(rules) >= 30
    assert all(rule.enabled for rule in rules)
    for scope, cases in CASES.items():
        assert {rule.id for rule in rules if rule.scope == scope} == set(cases)


@pytest.mark.parametrize("rule", SHIPPED.document.rules, ids=lambda rule: rule.id)
def test_a_rule_names_its_source_or_says_judgement_and_who_answers_for_it(rule: Rule) -> None:
    assert SOURCE.search(rule.description)
    assert THRESHOLD.search(rule.description)
    assert " for " in rule.description
    assert rule.owner
    assert rule.tags


@pytest.mark.parametrize("rule", SHIPPED.document.rules, ids=lambda rule: rule.id)
def test_alerts_on_subjects_are_episodes(rule: Rule) -> None:
    if rule.alert is not None and rule.subject is not None:
        assert rule.alert.cooldown_minutes is not None


def test_every_list_is_used(shipped: CompiledRules) -> None:
    text = RULES_FILE.read_text("utf-8")
    for name in shipped.document.lists:
        assert f'{{"list": "{name}"}}' in text


def test_what_is_looked_up_for_longer_than_a_day_is_about_few_payments(
    shipped: CompiledRules,
) -> None:
    for rule in shipped.document.rules:
        if rule.reach.days > 1:
            assert "in_currency" in json.dumps(rule.when, default=str), rule.id


@pytest.mark.parametrize("rule_id", CASES_BY_RULE)
def test_a_rule_finds_what_it_is_for(shipped: CompiledRules, rule_id: str) -> None:
    case = CASES_BY_RULE[rule_id]
    values = found(shipped, rule_id, case.fires)
    assert sorted(filter(None, values)) == sorted(map(Decimal, case.values))
    assert None not in values


@pytest.mark.parametrize("rule_id", CASES_BY_RULE)
def test_a_rule_leaves_the_near_miss_alone(shipped: CompiledRules, rule_id: str) -> None:
    for payments in CASES_BY_RULE[rule_id].quiet:
        assert found(shipped, rule_id, payments) == []


@pytest.mark.parametrize("rule_id", VELOCITY_CASES)
def test_a_velocity_rule_looks_back_as_far_as_is_meant(
    shipped: CompiledRules, rule_id: str
) -> None:
    span = timedelta(minutes=SPANS.get(rule_id, DAY))
    first, *others = VELOCITY_CASES[rule_id].fires
    last = others[-1]
    just_inside = last["event_time"] - span + timedelta(microseconds=1)
    assert found(shipped, rule_id, [{**first, "event_time": just_inside}, *others])
    outside = last["event_time"] - span
    assert not found(shipped, rule_id, [{**first, "event_time": outside}, *others])


@pytest.mark.parametrize(("amount", "alerts"), [("99999.99", 0), ("100000.00", 1)])
def test_the_highest_values_raise_alerts(shipped: CompiledRules, amount: str, alerts: int) -> None:
    (judgement,) = dry_run(shipped, columns_of([at(amount=amount)])).judgements
    ids = [shipped.document.rules[finding.rule].id for finding in judgement.findings]
    assert ids.count("high_value_payment") == alerts


@pytest.mark.parametrize(
    ("amount", "outcome"),
    [
        ("10000.00", "reportable"),
        ("14999.99", "reportable"),
        ("15000.00", "due_diligence"),
        ("100000.00", "exceptional"),
    ],
)
def test_high_values_are_graded(shipped: CompiledRules, amount: str, outcome: str) -> None:
    payments = [at(amount=amount, transaction_id="one")]
    assert outcomes(shipped, "high_value_payment", payments) == {"one": outcome}


def test_a_placeholder_is_known_in_small_letters_in_capitals_and_with_a_capital_first(
    shipped: CompiledRules,
) -> None:
    names = set(shipped.document.lists["placeholder_ids"])
    words = {name for name in names if name.isalpha() and name.islower() and len(set(name)) > 1}
    assert len(words) > 20
    for word in words:
        assert names >= {word, word.capitalize(), word.upper()}


def test_each_currency_that_has_a_rate_is_expected_at_home(shipped: CompiledRules) -> None:
    rates = shipped.document.rates
    assert rates is not None
    (rule,) = (each for each in shipped.document.rules if each.id == "foreign_currency_at_home")
    expected = re.findall(r'"operator": "ne", "value": "([A-Z]{3})"', json.dumps(rule.when))
    assert sorted(expected) == sorted([rates.base, *rates.per_base, "KWD", "TND"])


def test_a_pegged_currency_has_the_rate_that_its_source_says(shipped: CompiledRules) -> None:
    rates = shipped.document.rates
    assert rates is not None
    pegs = re.findall(r"([0-9.]+) ([A-Z]{3})\b", rates.source.rpartition("(")[2])
    assert [code for _, code in pegs] == ["AED", "BHD", "JOD", "OMR", "QAR", "SAR", "USD"]
    for peg, code in pegs:
        assert rates.per_base[code] == rates.per_base["USD"] * Decimal(peg)


def test_a_high_value_in_a_currency_without_a_rate_is_seen(shipped: CompiledRules) -> None:
    payments = [at(amount="90000.000", currency="KWD", transaction_id="one")]
    assert outcomes(shipped, "high_value_payment", payments) == {"one": "indeterminate"}


@pytest.mark.parametrize(
    ("amount", "outcome"), [("9999.99", "identify"), ("10000.00", "above_cash_limit")]
)
def test_cash_like_values_are_graded(shipped: CompiledRules, amount: str, outcome: str) -> None:
    payments = [at(amount=amount, payment_method="cash_equivalent", transaction_id="one")]
    assert outcomes(shipped, "cash_like_high_value", payments) == {"one": outcome}


@pytest.mark.parametrize(("amount", "outcome"), [("50.00", "review"), ("15000.00", "hold")])
def test_laundering_is_reviewed_for_one_sign_and_held_for_two(
    shipped: CompiledRules, amount: str, outcome: str
) -> None:
    payments = [
        at(amount=amount, customer_country="KP", counterparty_id="account", transaction_id="one")
    ]
    assert outcomes(shipped, "laundering_score", payments) == {"one": outcome}


def test_a_misdirected_refund_is_reviewed_and_held_if_it_is_quick_and_too_high(
    shipped: CompiledRules,
) -> None:
    sale = at(transaction_id="sale", amount="1000.00")
    late = refund(60, amount="1000.00", customer_id="bob", transaction_id="late")
    quick = refund(5, amount="1000.01", customer_id="bob", transaction_id="quick")
    expected = {"late": "review", "quick": "hold"}
    assert outcomes(shipped, "fraud_score", [sale, late, quick]) == expected
