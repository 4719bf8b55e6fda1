"""The label of what was done to an event changes nothing that the product makes of it."""

import msgspec
import pytest
from unit.simulator.generation.simulation_samples import (
    configuration,
    every_violation,
    recount,
    run,
)

from shared_code.domain.decoding import split_body
from simulator.configuration.traffic_settings import Arrival, Messages

_RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _unlabelled(body: bytes) -> bytes:
    """Return a message without its labels; what cannot be read stays as it is."""
    if body.lstrip()[:1] != b"[":
        return _without_label(body)
    items = [_without_label(bytes(item)) for item in split_body(body)]
    return b"[" + b",".join(items) + b"]"


def _without_label(item: bytes) -> bytes:
    try:
        event = _RAW.decode(item)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return item
    if event.pop("simulation", None) is None:
        return item
    return msgspec.json.encode(event)


@pytest.mark.parametrize("subtlety", [0.0, 1.0])
def test_messages_without_labels_give_the_same_payments_hashes_and_flags(subtlety: float) -> None:
    messages, ledger = run(
        configuration(
            1_500,
            "12h",
            messages=Messages(pack=20),
            arrival=Arrival(conflict_share=0.02, duplicate_share=0.02),
            violations=every_violation(0.01, subtlety=subtlety),
        )
    )
    labelled = [each for each in messages if b'"simulation"' in _unlabelled(each.body)]
    # Only what is no JSON keeps its label: nobody can read it there.
    assert len(labelled) <= sum(ledger.rejected.values())
    with_labels, without = recount(messages), recount(messages, body_of=_unlabelled)
    assert without.payments == ledger.payments
    assert without.hashes == with_labels.hashes
    assert without.flags == with_labels.flags
    assert without.sums == with_labels.sums
    assert without.duplicates == with_labels.duplicates
    assert without.rejected == with_labels.rejected


def test_most_messages_with_violations_did_have_labels() -> None:
    messages, ledger = run(configuration(2_000, violations=every_violation()))
    changed = sum(_unlabelled(each.body) != each.body for each in messages)
    assert changed > len(ledger.injected) / 2
