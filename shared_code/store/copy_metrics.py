"""What rules say of payments as rows for COPY into ``dynamic_metrics``."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain, repeat
from typing import Final

import numpy as np

from shared_code.rules.columns import Columns
from shared_code.rules.findings import Matches
from shared_code.store import copy_fields as fields

_COLUMNS: Final = (
    "transaction_id",
    "event_time",
    "payment_status",
    "rule_set",
    "rule",
    "outcome",
    "value",
    "rate",
)

_KEY: Final = np.dtype(
    [
        ("event_time width", ">i4"),
        ("event_time", ">i8"),
        ("payment_status width", ">i4"),
        ("payment_status", ">i2"),
    ]
)


def copy_metrics(*, shadow: bool) -> str:
    """Return the COPY that takes ``metric_rows``."""
    names = ", ".join((*_COLUMNS, "shadow") if shadow else _COLUMNS)
    return f"COPY dynamic_metrics ({names}) FROM STDIN (FORMAT binary)"


def metric_rows(
    columns: Columns, matches: Iterable[Matches], rule_set: int, *, shadow: bool = False
) -> bytes:
    """Return one row for each match, as input of ``copy_metrics``.

    Args:
        columns: of the payments that the matches are about.
        matches: of one rule set.
        rule_set: its number.
        shadow: whether that rule set only looks on.
    """
    width = (len(_COLUMNS) + shadow).to_bytes(2)
    last = fields.TRUE if shadow else b""
    keys = [
        width + transaction_id + rest
        for transaction_id, rest in zip(
            columns.once(fields.transaction_ids), columns.once(_times_and_statuses), strict=True
        )
    ]
    numbers = _Numerics(columns)
    rows = chain.from_iterable(
        _rows(match, keys, numbers, fields.integer(rule_set), last) for match in matches
    )
    return b"".join([fields.HEADER, *rows, fields.TRAILER])


def _times_and_statuses(columns: Columns) -> list[bytes]:
    key = np.empty(columns.size, dtype=_KEY)
    key["event_time width"] = 8
    key["event_time"] = fields.event_times(columns)
    key["payment_status width"] = 2
    key["payment_status"] = columns.codes("payment_status")
    return fields.pieces(key)


def _rows(
    match: Matches, keys: Sequence[bytes], numbers: "_Numerics", rule_set: bytes, last: bytes
) -> Iterator[bytes]:
    rule, rows, values, outcome, rates = match
    middle = rule_set + fields.small_integer(rule) + fields.small_integer(outcome)
    of_rates: Iterable[bytes] = (
        repeat(fields.NULL + last)
        if rates is None
        else [fields.numeric(rate) + last for rate in rates]
    )
    return chain.from_iterable(
        zip(
            [keys[row] for row in rows],
            repeat(middle),
            numbers.fields(values),
            of_rates,
            strict=False,
        )
    )


class _Numerics:
    """Fields of numbers by the object: most values of rules are amounts, each of many rules."""

    def __init__(self, columns: Columns) -> None:
        amounts = columns.once(fields.amounts)
        # Kept, so that no other object ever has the identity of one of them.
        self._kept: list[Decimal | None] = [*columns.values("amount"), None]
        self._by_object = dict(zip(map(id, self._kept), [*amounts, fields.NULL], strict=True))

    def fields(self, values: Sequence[Decimal | None]) -> list[bytes]:
        """Return the field of each value."""
        try:
            return list(map(self._by_object.__getitem__, map(id, values)))
        except KeyError:
            # A packed column makes its objects anew each time it is gone through.
            objects = list(values)
            self._add(objects)
            return list(map(self._by_object.__getitem__, map(id, objects)))

    def _add(self, values: Sequence[Decimal | None]) -> None:
        """Add the fields of values; many may be one object, which is looked at once."""
        made = {id(value): value for value in values if value is not None}
        self._kept += made.values()
        self._by_object |= zip(made, fields.numerics(list(made.values())), strict=True)
