from unit.domain.payment_samples import array_of, body_of, decode, payment_event

from shared_code.domain.decoding import Placed
from shared_code.engine.batch import by_identity


def placed(*sent: tuple[str, int, str]) -> list[Placed]:
    """Return payments of an id, a second and a status, in the order of arrival."""
    return decode(
        array_of(
            *(
                body_of(
                    payment_event(
                        transaction_id=transaction_id,
                        event_time=f"2026-01-31T11:00:{second:02}Z",
                        payment_status=status,
                    )
                )
                for transaction_id, second, status in sent
            )
        )
    ).payments


def identities(payments: list[Placed]) -> list[tuple[str, int]]:
    return [
        (each.accepted.payment.transaction_id, each.accepted.payment.event_time.second)
        for each in payments
    ]


def test_payments_of_different_times_stand_in_the_order_of_time() -> None:
    first, repeats = by_identity(
        placed(("b", 3, "completed"), ("c", 1, "completed"), ("a", 2, "failed"))
    )
    assert identities(first) == [("c", 1), ("a", 2), ("b", 3)]
    assert repeats == {}


def test_payments_of_one_time_stand_in_the_order_of_their_ids_and_statuses() -> None:
    sent = placed(("b", 1, "completed"), ("a", 1, "failed"), ("c", 0, "failed"))
    sent += placed(("a", 1, "completed"))
    first, repeats = by_identity(sent)
    assert first == [sent[2], sent[3], sent[1], sent[0]]
    assert repeats == {}


def test_what_repeats_an_identity_is_told_apart_from_the_first() -> None:
    sent = placed(("a", 1, "failed"), ("b", 0, "failed"), ("a", 1, "failed"), ("a", 1, "failed"))
    first, repeats = by_identity(sent)
    assert first == [sent[1], sent[0]]
    assert repeats == {sent[0].accepted.payment.identity: [sent[2], sent[3]]}


def test_of_no_payments_there_are_none() -> None:
    assert by_identity([]) == ([], {})
