"""The job of ``bench.compute`` as a plain loop of Python, with the standard library alone."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from bench.compute_peer import (
    Batch,
    Event,
    Normaliser,
    Payment,
    Refused,
    batch_of,
    may_hold_card_number,
)
from bench.compute_peer_rules import compile_rules


class PlainLoop:
    """Takes each payment through all steps before the next one."""

    def __init__(self, contract: dict[str, Any], rules: dict[str, Any], rule_set: int) -> None:
        self._normaliser = Normaliser(contract, _encode)
        self._rules = compile_rules(rules, contract["numbers"])
        self._rule_set = rule_set

    def batch(self, bodies: Sequence[bytes]) -> Batch:
        """Return what a batch of messages comes to."""
        payments: list[Payment] = []
        rejected: list[str] = []
        for body in bodies:
            care = may_hold_card_number(body)
            for item in json.loads(body, parse_float=Decimal):
                event, number = self._normaliser.masked(item) if care else (item, None)
                try:
                    payments.append(self._payment(event, number))
                except Refused as refused:
                    rejected.append(refused.reason)
        return batch_of(payments, rejected, self._rules, self._rule_set)

    def _payment(self, event: Mapping[str, Any], card_number: str | None) -> Payment:
        metadata = event.get("metadata")
        text = None if metadata is None else json.dumps(metadata, default=str)
        canonical = "" if metadata is None else json.dumps(metadata, sort_keys=True, default=str)
        return self._normaliser.payment(_event(event), text, canonical.encode(), card_number)


def _event(event: Mapping[str, Any]) -> Event:
    try:
        amount = Decimal(event["amount"])
    except (InvalidOperation, TypeError) as error:
        raise Refused("invalid_amount") from error
    except KeyError as error:
        raise Refused("missing_field") from error
    customer = event.get("customer") or {}
    merchant = event.get("merchant") or {}
    card = event.get("card") or {}
    counterparty = event.get("counterparty") or {}
    return Event(
        _text(event, "transaction_id"),
        _text(event, "event_time"),
        amount,
        _text(event, "currency"),
        _text(event, "payment_method"),
        _text(event, "payment_status"),
        event.get("channel"),
        event.get("device_type"),
        (customer.get("id"), customer.get("email"), customer.get("country")),
        (
            merchant.get("id"),
            merchant.get("name"),
            merchant.get("category"),
            merchant.get("mcc"),
            merchant.get("country"),
        ),
        (card.get("brand"), card.get("bin"), card.get("last4"), card.get("fingerprint")),
        (counterparty.get("id"), counterparty.get("country")),
        event.get("original_transaction_id"),
    )


def _text(event: Mapping[str, Any], name: str) -> str:
    value = event.get(name)
    if not isinstance(value, str):
        reason = "missing_field" if value is None else "wrong_type"
        raise Refused(reason)
    return value


def _encode(row: tuple[Any, ...]) -> bytes:
    return json.dumps(row, default=str).encode()
