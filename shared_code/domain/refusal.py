"""A payment event that is refused, with its reason."""

from shared_code.domain.vocabularies import RejectReason
from shared_code.errors import PaymentsError


class EventRefused(PaymentsError):
    """One payment event breaks the contract; the others of its batch are not concerned."""

    def __init__(self, reason: RejectReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
