"""The job of ``bench.compute`` as a Bytewax dataflow, in an environment of its own.

Bytewax has no wheel for the product's Python. ``bench.compute`` starts this script with Python 3.12
or 3.11 and a file that holds the messages, the rules and what has to be known of the contract; each
line on standard input asks for one run over all batches, and is answered by its seconds.
"""

import base64
import json
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import bytewax.operators as op
import msgspec
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, TestingSource, run_main

from bench.compute_peer import (
    Batch,
    Event,
    Normaliser,
    Payment,
    Refused,
    batch_of,
    described,
    may_hold_card_number,
)
from bench.compute_peer_rules import compile_rules

RULE_SET = 1
_CANONICAL = msgspec.json.Encoder(order="deterministic")
_NONE = (None,) * 5


class Party(msgspec.Struct):
    """Any of the parties and the card; each has some of these fields."""

    id: str | None = None
    email: str | None = None
    country: str | None = None
    name: str | None = None
    category: str | None = None
    mcc: str | None = None
    brand: str | None = None
    bin: str | None = None
    last4: str | None = None
    fingerprint: str | None = None


class WireEvent(msgspec.Struct):
    """A payment event as it stands in JSON; msgspec checks the types."""

    transaction_id: str
    event_time: str
    amount: Decimal
    currency: str
    payment_method: str
    payment_status: str
    channel: str | None = None
    device_type: str | None = None
    customer: Party | None = None
    merchant: Party | None = None
    card: Party | None = None
    counterparty: Party | None = None
    original_transaction_id: str | None = None
    metadata: msgspec.Raw = msgspec.Raw()


_BODY = msgspec.json.Decoder(list[WireEvent])
_EVENT = msgspec.json.Decoder(WireEvent)


class Job:
    """Reads, normalises, judges and writes; its methods are the steps of the dataflow."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._normaliser = Normaliser(given["contract"], msgspec.msgpack.Encoder().encode)
        self._rules = compile_rules(given["rules"], given["contract"]["numbers"])

    def read(self, bodies: list[bytes]) -> list[tuple[WireEvent, str | None]]:
        """Return the events of messages, each with the card number that was masked in it."""
        events: list[tuple[WireEvent, str | None]] = []
        for body in bodies:
            if may_hold_card_number(body):
                for item in msgspec.json.decode(body):
                    clean, number = self._normaliser.masked(item)
                    events.append((_EVENT.decode(msgspec.json.encode(clean)), number))
            else:
                events += [(event, None) for event in _BODY.decode(body)]
        return events

    def normalise(self, events: list[tuple[WireEvent, str | None]]) -> list[Payment | str]:
        """Return payments, and reasons for what is refused."""
        normalised: list[Payment | str] = []
        for event, card_number in events:
            metadata = bytes(event.metadata).decode() or None
            canonical = _CANONICAL.encode(msgspec.json.decode(metadata)) if metadata else b""
            try:
                normalised.append(
                    self._normaliser.payment(_flat(event), metadata, canonical, card_number)
                )
            except Refused as refused:
                normalised.append(refused.reason)
        return normalised

    def write(self, normalised: list[Payment | str]) -> list[Batch]:
        """Return a batch with its rows."""
        payments = [each for each in normalised if isinstance(each, Payment)]
        rejected = [each for each in normalised if isinstance(each, str)]
        return [batch_of(payments, rejected, self._rules, RULE_SET)]


def _flat(event: WireEvent) -> Event:
    customer, merchant, card = event.customer, event.merchant, event.card
    counterparty = event.counterparty
    return Event(
        event.transaction_id,
        event.event_time,
        event.amount,
        event.currency,
        event.payment_method,
        event.payment_status,
        event.channel,
        event.device_type,
        (customer.id, customer.email, customer.country) if customer else _NONE[:3],
        (merchant.id, merchant.name, merchant.category, merchant.mcc, merchant.country)
        if merchant
        else _NONE,
        (card.brand, card.bin, card.last4, card.fingerprint) if card else _NONE[:4],
        (counterparty.id, counterparty.country) if counterparty else _NONE[:2],
        event.original_transaction_id,
    )


def run(job: Job, batches: list[list[bytes]]) -> tuple[float, list[Batch]]:
    """Run the dataflow over all batches; return its seconds and what came out."""
    found: list[Batch] = []
    bodies = [body for batch in batches for body in batch]
    flow = Dataflow("payments")
    stream = op.input("messages", flow, TestingSource(bodies, batch_size=len(batches[0])))
    events = op.flat_map_batch("read", stream, job.read)
    payments = op.flat_map_batch("normalise", events, job.normalise)
    written = op.flat_map_batch("judge and write", payments, job.write)
    op.output("rows", written, TestingSink(found))
    began = time.perf_counter()
    run_main(flow)
    return time.perf_counter() - began, found


def main() -> None:
    """Answer each line on standard input by one run."""
    given = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    batches = [[base64.b64decode(body) for body in batch] for batch in given["batches"]]
    job = Job(given)
    _, found = run(job, batches)
    print(json.dumps(described(found)), flush=True)
    for _ in sys.stdin:
        print(run(job, batches)[0], flush=True)


if __name__ == "__main__":
    main()
