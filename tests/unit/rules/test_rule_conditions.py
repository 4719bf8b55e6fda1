"""Conditions on codes, texts and flags, and their combination in three-valued logic."""

from itertools import product
from typing import Any, Literal

import pytest
from unit.rules.rule_samples import comparison, payment, verdicts

type Truth = Literal[True, False] | None
TRUTHS: tuple[Truth, ...] = (True, False, None)
KNOWN = {True: "DE", False: "US", None: None}
IS_GERMAN = {
    party: comparison(f"{party}.country", "eq", "DE") for party in ("customer", "merchant")
}
FIRST, SECOND = IS_GERMAN["customer"], IS_GERMAN["merchant"]


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("eq", "DE", [True, False, None]),
        ("ne", "DE", [False, True, None]),
        ("in", ["DE", "FR"], [True, False, None]),
        ("in", ["FR", "IT"], [False, False, None]),
        ("not_in", ["DE", "FR"], [False, True, None]),
        ("not_in", ["FR"], [True, True, None]),
        ("in", {"list": "home"}, [True, False, None]),
        ("not_in", {"list": "home"}, [False, True, None]),
        ("exists", None, [True, True, False]),
        ("exists", True, [True, True, False]),
        ("exists", False, [False, False, True]),
    ],
)
def test_codes_are_compared_and_unknown_where_absent(
    operator: str, value: Any, expected: list[bool | None]
) -> None:
    payments = [payment(customer_country=code) for code in ("DE", "US", None)]
    condition = comparison("customer.country", operator, value)
    assert verdicts(condition, *payments, lists={"home": ["DE"]}) == expected


@pytest.mark.parametrize(
    ("field", "present", "other"),
    [
        ("payment_method", "credit_card", "cash_equivalent"),
        ("payment_status", "refunded", "failed"),
        ("currency", "KWD", "JPY"),
        ("channel", "web", "branch"),
        ("device_type", "server", "tablet"),
        ("customer.country", "ZW", "AF"),
        ("merchant.country", "DE", "US"),
        ("counterparty.country", "DE", "US"),
        ("merchant.mcc", "0001", "9999"),
        ("transaction_id", "a", "A"),
        ("original_transaction_id", "a", "b"),
        ("customer.id", "a", "a "),
        ("customer.email_domain", "example.com", "example.org"),
        ("merchant.id", "a", "b"),
        ("merchant.name", "Café", "Cafe"),
        ("merchant.category", "a", "b"),
        ("card.brand", "visa", "jcb"),
        ("card.bin", "411111", "511111"),
        ("card.last4", "0001", "1"),
        ("card.fingerprint", "ff", "fe"),
        ("counterparty.id", "a", "b"),
    ],
)
def test_every_field_of_codes_or_texts_is_compared_by_its_own_values(
    field: str, present: str, other: str
) -> None:
    payments = [{**payment(), field: present}, {**payment(), field: other}]
    assert verdicts(comparison(field, "eq", present), *payments) == [True, False]
    assert verdicts(comparison(field, "not_in", [present]), *payments) == [False, True]


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("eq", "abc", [True, False, False, None]),
        ("ne", "abc", [False, True, True, None]),
        ("in", ["abc", "x"], [True, False, False, None]),
        ("not_in", ["abc", "x"], [False, True, True, None]),
        ("starts_with", "ab", [True, True, False, None]),
        ("starts_with", "AB", [False, False, True, None]),
        ("starts_with", "", [True, True, True, None]),
        ("exists", None, [True, True, True, False]),
        ("exists", False, [False, False, False, True]),
    ],
)
def test_texts_are_compared_letter_by_letter(
    operator: str, value: Any, expected: list[bool | None]
) -> None:
    payments = [payment(customer_id=text) for text in ("abc", "ab", "ABC", None)]
    assert verdicts(comparison("customer.id", operator, value), *payments) == expected


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("eq", "zero_amount", [False, True, False, True]),
        ("ne", "zero_amount", [True, False, True, False]),
        ("in", ["zero_amount", "channel_unknown"], [False, True, True, True]),
        ("not_in", ["zero_amount", "channel_unknown"], [True, False, False, False]),
        ("in", ["zero_amount", "zero_amount"], [False, True, False, True]),
        ("exists", None, [False, True, True, True]),
        ("exists", False, [True, False, False, False]),
    ],
)
def test_flags_are_asked_for_any_of_several_and_are_never_unknown(
    operator: str, value: Any, expected: list[bool | None]
) -> None:
    flags: Any = ([], ["zero_amount"], ["channel_unknown"], ["zero_amount", "channel_unknown"])
    payments = [payment(quality_flags=names) for names in flags]
    assert verdicts(comparison("quality_flags", operator, value), *payments) == expected


@pytest.mark.parametrize(
    ("field", "other", "values"),
    [
        ("customer.country", "merchant.country", ("DE", "US")),
        ("customer.id", "counterparty.id", ("a", "b")),
        ("transaction_id", "original_transaction_id", ("a", "b")),
    ],
)
@pytest.mark.parametrize("operator", ["eq", "ne"])
def test_fields_are_compared_with_fields_and_unknown_if_either_is_absent(
    field: str, other: str, values: tuple[str, str], operator: str
) -> None:
    one, two = values
    pairs = [(one, one), (one, two), (one, None), (None, one), (None, None)]
    payments = [{**payment(), field: left, other: right} for left, right in pairs]
    equal = operator == "eq"
    expected = [equal, not equal, None, None, None]
    assert verdicts(comparison(field, operator, {"field": other}), *payments) == expected


@pytest.mark.parametrize(("left", "right"), list(product(TRUTHS, repeat=2)))
def test_combinations_follow_kleenes_three_valued_logic(left: Truth, right: Truth) -> None:
    of_both = payment(customer_country=KNOWN[left], merchant_country=KNOWN[right])
    both = False if False in {left, right} else None if None in {left, right} else True
    either = True if True in {left, right} else None if None in {left, right} else False
    negation = None if left is None else not left
    assert verdicts({"all": [FIRST, SECOND]}, of_both) == [both]
    assert verdicts({"any": [FIRST, SECOND]}, of_both) == [either]
    assert verdicts({"not": FIRST}, of_both) == [negation]
    assert verdicts({"all": [FIRST]}, of_both) == verdicts({"any": [FIRST]}, of_both) == [left]


def test_what_is_unknown_never_becomes_true_by_negation_however_deep() -> None:
    unknown = payment(customer_country=None)
    condition: dict[str, Any] = FIRST
    for _ in range(10):
        condition = {"not": condition}
        assert verdicts(condition, unknown) == [None]
        assert verdicts({"any": [condition, {"not": condition}]}, unknown) == [None]


def test_equal_comparisons_of_one_document_share_their_verdict_but_not_across_lists() -> None:
    condition = {
        "all": [
            comparison("customer.country", "in", {"list": "one"}),
            {"not": comparison("customer.country", "in", {"list": "two"})},
        ]
    }
    payments = [payment(customer_country="DE"), payment(customer_country="US")]
    lists = {"one": ["DE", "US"], "two": ["US"]}
    assert verdicts(condition, *payments, lists=lists) == [True, False]


def test_an_empty_list_lets_nobody_in_and_keeps_nobody_out() -> None:
    german = payment(customer_country="DE")
    condition = comparison("customer.country", "in", {"list": "none"})
    assert verdicts(condition, german, lists={"none": []}) == [False]
    condition = comparison("customer.country", "not_in", {"list": "none"})
    assert verdicts(condition, german, payment(), lists={"none": []}) == [True, None]
