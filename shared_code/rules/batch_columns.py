"""A batch of payments, not stored yet, as the columns that rules read."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import astuple

from shared_code.domain.normalised_payment import AcceptedPayment, NormalisedPayment
from shared_code.rules.columns import Columns


def columns_of(payments: Sequence[AcceptedPayment]) -> Columns:
    """Return payments as columns, in their order."""
    names = NormalisedPayment.__struct_fields__
    fields = zip(*[astuple(accepted.payment) for accepted in payments], strict=True)
    # Without a payment there are no fields to transpose.
    columns: dict[str, Sequence[Any]] = dict.fromkeys(names, ()) | dict(
        zip(names, fields, strict=False)
    )
    columns["quality_flags"] = [accepted.quality_flags for accepted in payments]
    return Columns(len(payments), columns.__getitem__)
