"""The job of ``bench.compute`` in Bytewax as its documentation writes jobs: one step a payment.

Each step is an operator that takes one item: ``json`` reads a message, further steps normalise,
judge and write each payment. The sink leaves out what repeats an identity, as a database would.
"""

from typing import Any, NamedTuple

import bytewax.operators as op

from bench.compute_peer import (
    Batch,
    Payment,
    Refused,
    identity,
    metric_lines_of,
    payment_line,
)
from bench.compute_plain import PlainLoop


class Judged(NamedTuple):
    """A payment with its rows."""

    payment: Payment
    payment_row: str
    metric_rows: str


class Steps:
    """The operators of the dataflow and what its sink does; the work is that of the plain loop."""

    def __init__(self, given: dict[str, Any], rule_set: int) -> None:
        self._plain = PlainLoop(given["contract"], given["rules"], rule_set)
        self._rule_set = rule_set

    def dataflow(self, messages: Any) -> Any:
        """Return the stream of judged payments, and of reasons for what is refused."""
        events = op.flat_map("read", messages, self._plain.events)
        payments = op.map("normalise", events, self._normalised)
        return op.map("judge", payments, self._judged)

    def batches(self, items: list[Judged | str]) -> list[Batch]:
        """Return what came to the sink at a time."""
        first: dict[Any, Judged] = {}
        for item in items:
            if not isinstance(item, str):
                first.setdefault(identity(item.payment.row), item)
        distinct = list(first.values())
        return [
            Batch(
                [each.payment for each in distinct],
                [item for item in items if isinstance(item, str)],
                "".join([each.payment_row for each in distinct]),
                "".join([each.metric_rows for each in distinct]),
            )
        ]

    def _normalised(self, event: tuple[Any, str | None]) -> Payment | str:
        try:
            return self._plain.payment(*event)
        except Refused as refused:
            return refused.reason

    def _judged(self, payment: Payment | str) -> Judged | str:
        if isinstance(payment, str):
            return payment
        return Judged(
            payment,
            payment_line(payment, self._rule_set),
            "".join(metric_lines_of(payment.row, self._plain.rules, self._rule_set)),
        )
