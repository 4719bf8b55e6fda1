"""The job of ``bench.compute`` as a plain loop of Python, with the standard library alone."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from bench.compute_peer import (
    MAX_METADATA_BYTES,
    Batch,
    Event,
    Normaliser,
    Payment,
    Refused,
    batch_of,
    may_hold_card_number,
)
from bench.compute_peer_rules import compile_rules

_NOTHING: Mapping[str, Any] = {}


class PlainLoop:
    """Takes each payment through all steps before the next one."""

    def __init__(self, contract: dict[str, Any], rules: dict[str, Any], rule_set: int) -> None:
        self._normaliser = Normaliser(contract, _encode)
        self.rules = compile_rules(rules, contract["numbers"])
        self._rule_set = rule_set

    def batch(self, bodies: Sequence[bytes]) -> Batch:
        """Return what a batch of messages comes to."""
        payments: list[Payment] = []
        rejected: list[str] = []
        for body in bodies:
            for event, number in self.events(body):
                try:
                    payments.append(self.payment(event, number))
                except Refused as refused:
                    rejected.append(refused.reason)
        return batch_of(payments, rejected, self.rules, self._rule_set)

    def events(self, body: bytes) -> list[tuple[Any, str | None]]:
        """Return the events of a message, free of card numbers, and the first number of each."""
        events = json.loads(body, parse_float=Decimal)
        if may_hold_card_number(body):
            return [self._normaliser.masked(event) for event in events]
        return [(event, None) for event in events]

    def payment(self, event: Any, card_number: str | None) -> Payment:
        """Return the payment that an event describes.

        Raises:
            Refused: it breaks the contract.
        """
        parts = _event(event)
        metadata = event.get("metadata")
        if metadata is None:
            return self._normaliser.payment(parts, None, b"", card_number)
        text = json.dumps(metadata, default=float)
        if not isinstance(metadata, dict):
            raise Refused("wrong_type")
        if len(text) > MAX_METADATA_BYTES:
            raise Refused("metadata_too_large")
        canonical = json.dumps(metadata, default=float, sort_keys=True)
        return self._normaliser.payment(parts, text, canonical.encode(), card_number)


def _event(event: Mapping[str, Any]) -> Event:
    customer, merchant = _part(event, "customer"), _part(event, "merchant")
    card, counterparty = _part(event, "card"), _part(event, "counterparty")
    return Event(
        _required(event, "transaction_id", 64),
        _required(event, "event_time", 64),
        _amount(event),
        _required(event, "currency", 32),
        _required(event, "payment_method", 64),
        _required(event, "payment_status", 64),
        _text(event, "channel", 256),
        _text(event, "device_type", 256),
        (_text(customer, "id", 64), _text(customer, "email", 320), _text(customer, "country", 32)),
        (
            _text(merchant, "id", 64),
            _text(merchant, "name", 256),
            _text(merchant, "category", 64),
            _text(merchant, "mcc", 32),
            _text(merchant, "country", 32),
        ),
        (
            _text(card, "brand", 32),
            _text(card, "bin", 32),
            _text(card, "last4", 32),
            _text(card, "fingerprint", 128),
        ),
        (_text(counterparty, "id", 64), _text(counterparty, "country", 32)),
        _text(event, "original_transaction_id", 64),
    )


def _amount(event: Mapping[str, Any]) -> Decimal:
    if "amount" not in event:
        raise Refused("missing_field")
    try:
        return Decimal(event["amount"])
    except (InvalidOperation, TypeError, ValueError) as error:
        raise Refused("invalid_amount") from error


def _part(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = event.get(name)
    if part is None:
        return _NOTHING
    if not isinstance(part, dict):
        raise Refused("wrong_type")
    return part


def _required(event: Mapping[str, Any], name: str, longest: int) -> str:
    if name not in event:
        raise Refused("missing_field")
    text = _text(event, name, longest)
    if text is None:
        raise Refused("wrong_type")
    if not text and name == "transaction_id":
        raise Refused("invalid_length")
    return text


def _text(part: Mapping[str, Any], name: str, longest: int) -> str | None:
    text = part.get(name)
    if text is None:
        return None
    if not isinstance(text, str):
        raise Refused("wrong_type")
    if len(text) > longest:
        raise Refused("invalid_length")
    return text


def _encode(row: tuple[Any, ...]) -> bytes:
    return json.dumps(row, default=str).encode()
