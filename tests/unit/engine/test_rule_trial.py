"""Files of payment events are taken apart as people write them."""

import json

import pytest
from payment_messages import payment_event
from unit.rules.rule_samples import compiled, rule

from shared_code.engine.rule_trial import Rejected, event_bodies, try_rules

ONE, TWO = b'{"a":1}', b'{"a":2}'


@pytest.mark.parametrize(
    ("content", "bodies"),
    [
        (ONE, [ONE]),
        (b'{\n  "a": 1\n}', [b'{\n  "a": 1\n}']),
        (b"[%s, %s]" % (ONE, TWO), [ONE, TWO]),
        (b"[\n%s,\n%s\n]\n" % (ONE, TWO), [ONE, TWO]),
        (b"[%s]" % ONE, [ONE]),
        (b"%s\n%s\n" % (ONE, TWO), [ONE, TWO]),
        (b"%s\r\n\r\n%s" % (ONE, TWO), [ONE, TWO]),
        (b"[%s]\n[%s]" % (ONE, TWO), [b"[%s]" % ONE, b"[%s]" % TWO]),
        (b"broken\n%s" % ONE, [b"broken", ONE]),
        (b"%s\nbroken" % ONE, [ONE, b"broken"]),
        (b"[%s, {broken}, %s]" % (ONE, TWO), [ONE, b"{broken}", TWO]),
        (b"[\n{broken},\n%s\n]" % ONE, [b"{broken}", ONE]),
        (b"", [b""]),
    ],
)
def test_events_stand_in_an_array_in_lines_or_alone(content: bytes, bodies: list[bytes]) -> None:
    assert list(event_bodies(content)) == bodies


def test_another_content_of_the_same_event_is_rejected_as_it_would_be() -> None:
    events = [payment_event(amount=amount) for amount in ("1.00", "1.00", "2.00")]
    trial = try_rules(compiled(rule()), [json.dumps(event).encode() for event in events])
    assert (trial.payments, trial.repeated) == (1, 1)
    detail = "another content came first, at 1"
    assert trial.rejected == [Rejected(3, "conflicting_duplicate", detail)]


def test_progress_counts_what_was_read() -> None:
    seen: list[int] = []
    bodies = [json.dumps(payment_event(f"t{at}")).encode() for at in range(1200)]
    trial = try_rules(compiled(rule()), bodies, progress=seen.append)
    assert (trial.payments, seen) == (1200, [500, 1000, 1200])
