"""The job of ``bench.compute`` as a Bytewax dataflow, in an environment of its own.

Bytewax has no wheel for the product's Python. ``bench.compute`` starts this script with Python 3.12
or 3.11, a file that holds the messages, the rules and what has to be known of the contract, and the
kind of dataflow: ``batches`` is the one here, tuned as far as it goes (msgspec, whole batches a
step), ``steps`` that of ``compute_steps``. Each line on standard input asks for one run over all
batches, and is answered by its seconds of CPU.
"""

import base64
import json
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import bytewax.operators as op
import msgspec
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import TestingSource, run_main

from bench.compute_peer import (
    MAX_METADATA_BYTES,
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
from bench.compute_steps import Steps

RULE_SET = 1
_CANONICAL = msgspec.json.Encoder(order="deterministic")
_NONE = (None,) * 5


Id = Annotated[str, msgspec.Meta(max_length=64)] | None
Code = Annotated[str, msgspec.Meta(max_length=32)] | None
Name = Annotated[str, msgspec.Meta(max_length=256)] | None


class Customer(msgspec.Struct, gc=False):
    """Who pays."""

    id: Id = None
    email: Annotated[str, msgspec.Meta(max_length=320)] | None = None
    country: Code = None


class Merchant(msgspec.Struct, gc=False):
    """Who is paid."""

    id: Id = None
    name: Name = None
    category: Id = None
    mcc: Code = None
    country: Code = None


class Card(msgspec.Struct, gc=False):
    """What is known of the card."""

    brand: Code = None
    bin: Code = None
    last4: Code = None
    fingerprint: Annotated[str, msgspec.Meta(max_length=128)] | None = None


class Counterparty(msgspec.Struct, gc=False):
    """The other account."""

    id: Id = None
    country: Code = None


class WireEvent(msgspec.Struct, gc=False):
    """A payment event as it stands in JSON; msgspec checks types and lengths."""

    transaction_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    event_time: Annotated[str, msgspec.Meta(max_length=64)]
    amount: Decimal
    currency: Annotated[str, msgspec.Meta(max_length=32)]
    payment_method: Annotated[str, msgspec.Meta(max_length=64)]
    payment_status: Annotated[str, msgspec.Meta(max_length=64)]
    channel: Name = None
    device_type: Name = None
    customer: Customer | None = None
    merchant: Merchant | None = None
    card: Card | None = None
    counterparty: Counterparty | None = None
    original_transaction_id: Id = None
    metadata: msgspec.Raw = msgspec.Raw()


_BODY = msgspec.json.Decoder(list[WireEvent])
_EVENT = msgspec.json.Decoder(WireEvent)
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
# Numbers keep their text.
_ANY = msgspec.json.Decoder(float_hook=lambda text: msgspec.Raw(text.encode()))

# An event or why it is refused, and the card number that was masked in it.
Read = tuple[WireEvent | str, str | None]


class Job:
    """Reads, normalises, judges and writes; its methods are the steps of the dataflow."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._normaliser = Normaliser(given["contract"], msgspec.msgpack.Encoder().encode)
        self._rules = compile_rules(given["rules"], given["contract"]["numbers"])

    def dataflow(self, messages: Any) -> Any:
        """Return the stream of batches with their rows."""
        events = op.flat_map_batch("read", messages, self.read)
        payments = op.flat_map_batch("normalise", events, self.normalise)
        return op.flat_map_batch("judge and write", payments, self.write)

    def batches(self, items: list[Batch]) -> list[Batch]:
        """Return what came to the sink at a time."""
        return items

    def read(self, bodies: list[bytes]) -> list[Read]:
        """Return the events of messages; apart, where one of a message is wrong."""
        events: list[Read] = []
        for body in bodies:
            if not may_hold_card_number(body):
                try:
                    events += [(event, None) for event in _BODY.decode(body)]
                except msgspec.ValidationError:
                    events += [_read(item) for item in _ITEMS.decode(body)]
            else:
                for item in _ITEMS.decode(body):
                    clean, number = self._normaliser.masked(_ANY.decode(item))
                    events.append((_read(msgspec.json.encode(clean))[0], number))
        return events

    def normalise(self, events: list[Read]) -> list[Payment | str]:
        """Return payments, and reasons for what is refused."""
        normalised: list[Payment | str] = []
        for event, card_number in events:
            if isinstance(event, str):
                normalised.append(event)
                continue
            try:
                metadata, canonical = _metadata(event.metadata)
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


def _read(item: bytes | msgspec.Raw) -> Read:
    try:
        return _EVENT.decode(item), None
    except msgspec.ValidationError as error:
        text = str(error)
    if "missing required field" in text:
        return "missing_field", None
    if "`$.amount`" in text:
        return "invalid_amount", None
    return ("invalid_length" if "of length" in text else "wrong_type"), None


def _metadata(raw: msgspec.Raw) -> tuple[str | None, bytes]:
    text = bytes(raw)
    if text in (b"", b"null"):
        return None, b""
    if len(text) > MAX_METADATA_BYTES:
        raise Refused("metadata_too_large")
    if not text.startswith(b"{"):
        raise Refused("wrong_type")
    return text.decode(), _CANONICAL.encode(msgspec.json.decode(text))


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


class _Rows(StatelessSinkPartition):
    """Takes rows and lets go of them, as a COPY would; keeps batches only where they are asked."""

    def __init__(self, job: Job | Steps, kept: list[Batch] | None) -> None:
        self._job = job
        self._kept = kept

    def write_batch(self, items: list[Any]) -> None:
        batches = self._job.batches(items)
        if self._kept is not None:
            self._kept += batches


class _Sink(DynamicSink):
    def __init__(self, job: Job | Steps, kept: list[Batch] | None) -> None:
        self._job = job
        self._kept = kept

    def build(self, step_id: str, worker_index: int, worker_count: int) -> _Rows:
        del step_id, worker_index, worker_count
        return _Rows(self._job, self._kept)


def run(job: Job | Steps, batches: list[list[bytes]], kept: list[Batch] | None = None) -> float:
    """Run the dataflow over all batches of equal length; return the seconds of CPU that it took."""
    bodies = [body for batch in batches for body in batch]
    flow = Dataflow("payments")
    stream = op.input("messages", flow, TestingSource(bodies, batch_size=len(batches[0])))
    op.output("rows", job.dataflow(stream), _Sink(job, kept))
    began = time.process_time()
    run_main(flow)
    return time.process_time() - began


def _batches(given: list[list[str]]) -> list[list[bytes]]:
    return [[base64.b64decode(body) for body in batch] for batch in given]


def main() -> None:
    """Say what comes of all batches, odd ones included, then answer each line by one run."""
    given = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    job = Steps(given, RULE_SET) if sys.argv[2] == "steps" else Job(given)
    batches = _batches(given["batches"])
    found: list[Batch] = []
    for each in (batches, _batches(given["odd"])):
        run(job, each, found)
    print(json.dumps(described(found)), flush=True)
    for _ in sys.stdin:
        print(run(job, batches), flush=True)


if __name__ == "__main__":
    main()
