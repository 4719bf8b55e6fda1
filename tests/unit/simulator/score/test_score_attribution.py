"""Alerts, payments and refusals belong to the violations that they speak of, and to no others."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from unit.simulator.score.score_samples import END, START, event, ledger, violation

from simulator.ledger import RefusedEvent
from simulator.score.attribution import Injected, span_of
from simulator.score.reading import StoredAlert, StoredRefusal

MINUTE = timedelta(minutes=1)
CARD_TEST = violation(
    "card_testing",
    event("a", 10),
    event("b", 12),
    subject={"card.fingerprint": "c1", "merchant.id": "m1"},
)


def alert(
    subject: Mapping[str, str | None],
    first: float = 11,
    last: float = 12,
    shown: Sequence[str] = (),
) -> StoredAlert:
    return StoredAlert(
        "a_rule", subject, shown, START + first * MINUTE, START + last * MINUTE, START
    )


@pytest.mark.parametrize(
    "subject",
    [
        {"card.fingerprint": "c1"},
        {"merchant.id": "m1"},
        {"card.fingerprint": "c1", "merchant.id": "m1"},
        {"merchant.id": "m1", "customer.id": "somebody"},
        {"merchant.id": "m1", "customer.id": None},
    ],
)
def test_an_alert_about_a_subject_belongs_to_its_incident(subject: dict[str, str | None]) -> None:
    assert Injected(ledger(CARD_TEST)).of_alert(alert(subject)) == {0}


@pytest.mark.parametrize(
    "subject",
    [
        {"card.fingerprint": "c2"},
        {"card.fingerprint": "c1", "merchant.id": "m2"},
        {"customer.id": "c1"},
        {"card.fingerprint": None},
        {},
    ],
)
def test_an_alert_about_another_subject_does_not(subject: dict[str, str | None]) -> None:
    assert Injected(ledger(CARD_TEST)).of_alert(alert(subject)) == set()


@pytest.mark.parametrize(
    ("first", "last", "belongs"),
    [(12, 20, True), (5, 10, True), (5, 20, True), (12.01, 20, False), (5, 9.99, False)],
)
def test_times_of_alert_and_incident_have_to_overlap(
    first: float, last: float, *, belongs: bool
) -> None:
    found = Injected(ledger(CARD_TEST)).of_alert(alert({"merchant.id": "m1"}, first, last))
    assert found == ({0} if belongs else set())


def test_an_alert_belongs_to_the_incident_of_which_it_shows_a_payment() -> None:
    injected = Injected(ledger(CARD_TEST, violation("large_amount", event("big"))))
    assert injected.of_alert(alert({"customer.id": "x"}, 50, 60, shown=["z", "b"])) == {0}
    about = {"transaction_id": "big", "payment_status": "completed"}
    assert injected.of_alert(alert(about, 50, 50)) == {1}


def test_an_alert_may_belong_to_several_incidents_of_one_subject() -> None:
    other = violation("rapid_fire", event("c", 5), event("d", 30), subject={"merchant.id": "m1"})
    assert Injected(ledger(CARD_TEST, other)).of_alert(alert({"merchant.id": "m1"})) == {0, 1}


def test_a_payment_belongs_to_every_violation_that_it_is_an_event_of() -> None:
    both = event("a")
    injected = Injected(
        ledger(violation("zero_amount", both), violation("missing_email", both, event("b")))
    )
    assert list(injected.of_event(both)) == [0, 1]
    assert list(injected.of_event(event("a", status="pending"))) == []
    assert list(injected.of_event(event("a", minutes=2))) == []


def test_a_refusal_belongs_by_its_text_and_else_by_its_id() -> None:
    refused = (RefusedEvent("negative_amount", "aa", "t1"), RefusedEvent("not_json", "bb"))
    injected = Injected(ledger(violation("negative_amount", refused=refused)))
    assert list(injected.of_refusal(StoredRefusal("aa", "negative_amount", None))) == [0]
    assert list(injected.of_refusal(StoredRefusal("bb", "not_json", "t9"))) == [0]
    assert list(injected.of_refusal(StoredRefusal("cc", "negative_amount", "t1"))) == [0]
    assert list(injected.of_refusal(StoredRefusal("cc", "negative_amount", None))) == []
    assert list(injected.of_refusal(StoredRefusal("cc", "negative_amount", "t2"))) == []


def test_the_span_to_read_is_that_of_the_simulation_and_of_valid_violations() -> None:
    assert span_of(ledger()) == (START, END)
    ahead = violation("future_time", event("a", 24 * 60))
    assert span_of(ledger(ahead)) == (START, ahead.last + timedelta(microseconds=1))
    early = violation("ancient_time", event("a", -5))
    assert span_of(ledger(early)) == (early.first, END)
    # What is refused was never stored: years of other payments are not read for it.
    ancient = violation("ancient_time", span=(START - timedelta(days=999), START))
    assert span_of(ledger(ancient)) == (START, END)
