"""Messages gone wrong, from a seed: mutated in their structure, mutated as bytes, and random bytes.

Each batch mixes them with good payments, some as neighbours in the same array. A good payment's
amount follows from its number, so that the database can be asked whether all are there unharmed.
"""

import json
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

BATCH_MESSAGES = 200
_TEXTS = (
    "",
    " ",
    "\t\n",
    "'; DROP TABLE normalized_transactions; --",
    "\\.",
    "\\N",
    "{{7*7}} ${jndi:ldap://x} %s {0}",
    "=cmd|' /C calc'!A0",
    "\N{RIGHT-TO-LEFT OVERRIDE}\N{ZERO WIDTH JOINER}\N{COMBINING ACUTE ACCENT}",
    "\N{MUSICAL SYMBOL G CLEF}" * 40,
    "ſﬃİ",
    "4111 1111 1111 1111",
    "a" * 100_000,
)
# Tokens as they stand in JSON, or should not.
_TOKENS = (
    "null", "true", "false", "0", "-0", "-1", "1e400", "-1e-400", "1E+2", "0.1e1", "00", "1.", ".5",
    "NaN", "Infinity", "1" * 400, "0." + "0" * 400 + "1", "[]", "{}",
    '[[["a"]]]', '{"a": {"b": []}}',
    '"\\ud800"', '"\\ud83d\\ude00"', '"\\u0000"', '"\\u0041"', '"\\x"', '"a', "'a'", "undefined",
    '"2026-02-30T00:00:00Z"', '"2026-01-31T23:59:60Z"', '"0000-01-01T00:00:00Z"',
    '"9999-12-31T23:59:59+23:59"', '"1969-12-31T23:59:59.999999999Z"', '"2026-01-01"', '"NaN"',
    '"-1.00"', '"1.001"', '"1,5"', '"١٢"', '"USD "', '"usd"', '"XXX"',
)  # fmt: skip


class Fuzzed(NamedTuple):
    """A batch of bodies, how many events they hold, and the numbers of the good payments in it."""

    bodies: list[bytes]
    events: int
    good: range


class Fuzzer:
    """Makes batches; the same seed makes the same ones."""

    def __init__(self, seed: int, moment: datetime) -> None:
        self._random = random.Random(seed)
        self._seed = seed
        self._moment = moment
        self._number = 0

    def batch(self, messages: int = BATCH_MESSAGES) -> Fuzzed:
        """Return the next batch."""
        first = self._number
        bodies = [self._random.choice(_KINDS)(self) for _ in range(messages)]
        events = sum(map(events_in, bodies))
        return Fuzzed(bodies, events, range(first, self._number))

    def good(self) -> dict[str, Any]:
        """Return a payment that keeps the contract."""
        number = self._number
        self._number += 1
        before = timedelta(microseconds=self._random.randrange(3_000_000_000))
        return {
            "transaction_id": f"good-{self._seed}-{number}",
            "event_time": (self._moment - before).isoformat(),
            "amount": f"{number % 100_000}.25",
            "currency": self._random.choice(("USD", "EUR", "GBP")),
            "payment_method": "credit_card",
            "payment_status": "completed",
            "channel": "web",
            "customer": {"id": f"c-{number % 97}", "email": "a@b.example", "country": "DE"},
            "merchant": {"id": "m-1", "name": "A Shop", "mcc": "5411", "country": "FR"},
            "card": {"brand": "visa", "bin": "411111", "last4": "1111"},
            "metadata": {"note": "x", "n": number},
        }

    def _only_good(self) -> bytes:
        return _json([self.good() for _ in range(self._random.randint(1, 3))])

    def _with_neighbours(self) -> bytes:
        """Return an array in which one event has a wrong value, among good ones."""
        items: list[Any] = [self.good(), self._wrong_value(), self.good()]
        self._random.shuffle(items)
        return _json(items)

    def _alone(self) -> bytes:
        return _json(self._wrong_value())

    def _wrong_value(self) -> Any:
        event = self._bad()
        for _ in range(self._random.randint(1, 3)):
            holder, name = self._place(event)
            match self._random.randrange(6):
                case 0:
                    holder.pop(name, None)
                case 1:
                    holder[name] = self._random.choice(_TEXTS)
                case 2:
                    holder[name] = self._random.choice((None, True, [], {}, 1, -1, 10**30, 1.5))
                case 3:
                    holder[f"{name}_"] = holder.pop(name, None)
                case 4:
                    holder[name] = {"deeper": holder.get(name), "list": [holder.get(name)] * 3}
                case _:
                    return self._random.choice((event, None, [], "text", 7, [event], {"a": event}))
        return event

    def _wrong_token(self) -> bytes:
        """Return one event with a token in it that is no JSON, or strange JSON."""
        event = self._bad()
        holder, name = self._place(event)
        holder[name] = "@@@"
        return _json(event).replace(b'"@@@"', self._random.choice(_TOKENS).encode())

    def _repeated_name(self) -> bytes:
        event = _json(self._bad())
        return event[:-1] + b', "amount": "7.00", "currency": "JPY"}'

    def _deep(self) -> bytes:
        event = _json(self._bad())
        depth = self._random.choice((10, 65, 500, 20_000))
        opening, closing = self._random.choice(((b'{"a":', b"}"), (b"[", b"]")))
        nested = opening * depth + b"1" + closing * depth
        return event[:-1] + b', "metadata": ' + nested + b"}"

    def _torn(self) -> bytes:
        """Return an event damaged as bytes."""
        body = bytearray(_json(self._bad()))
        for _ in range(self._random.randint(1, 4)):
            at = self._random.randrange(len(body))
            match self._random.randrange(4):
                case 0:
                    del body[at:]
                case 1:
                    body[at] = self._random.randrange(256)
                case 2:
                    body[at:at] = self._random.randbytes(self._random.randint(1, 9))
                case _:
                    del body[at : at + self._random.randint(1, 30)]
            if not body:
                break
        return bytes(body)

    def _encoded_otherwise(self) -> bytes:
        text = json.dumps(self._bad())
        return text.encode(self._random.choice(("utf-16", "utf-32", "utf-8-sig", "utf-16-le")))

    def _random_bytes(self) -> bytes:
        return self._random.randbytes(self._random.randrange(200))

    def _bad(self) -> dict[str, Any]:
        """Return a payment to be spoiled; it is known by its id."""
        event = self.good()
        # Its number is not that of a good payment: the next good one takes it.
        self._number -= 1
        return {**event, "transaction_id": f"bad-{self._random.getrandbits(60)}"}

    def _place(self, event: dict[str, Any]) -> tuple[dict[str, Any], str]:
        holders = [event, *(each for each in event.values() if isinstance(each, dict) and each)]
        holder = self._random.choice(holders)
        return holder, self._random.choice(sorted(holder) or ["amount"])


_KINDS: Sequence[Callable[[Fuzzer], bytes]] = (
    Fuzzer._only_good,
    Fuzzer._only_good,
    Fuzzer._with_neighbours,
    Fuzzer._with_neighbours,
    Fuzzer._alone,
    Fuzzer._wrong_token,
    Fuzzer._wrong_token,
    Fuzzer._repeated_name,
    Fuzzer._deep,
    Fuzzer._torn,
    Fuzzer._torn,
    Fuzzer._encoded_otherwise,
    Fuzzer._random_bytes,
)


def events_in(body: bytes) -> int:
    """Return how many events a body holds: those of an array, else the body itself."""
    try:
        value = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return 1
    return len(value) if isinstance(value, list) else 1


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
