"""Errors as problem details (RFC 9457)."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

import msgspec

from shared_code.errors import PaymentsError
from shared_code.store.errors import DataRefused, StoreUnavailable
from shared_code.web.exchange import Answer

PROBLEM_TYPE: Final = "application/problem+json"
_CANCELLED: Final = "57014"
# How long to wait before asking again: a restart or a failover takes about so long.
_RETRY_SECONDS: Final = "10"


class ParameterError(msgspec.Struct, frozen=True):
    """What is wrong with one parameter."""

    parameter: str
    detail: str


class ProblemDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong, as RFC 9457 has it; ``errors`` name the parameters that are wrong."""

    title: str
    status: int
    detail: str
    instance: str
    type: str = "about:blank"
    errors: list[ParameterError] = []


class Problem(PaymentsError):
    """A request that cannot be answered as it was meant."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        errors: Sequence[ParameterError] = (),
        *,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = headers or {}

    def answer(self, instance: str) -> Answer:
        """Return the problem as an answer; ``instance`` is the path that was asked for."""
        details = ProblemDetails(
            title=self.status.phrase,
            status=self.status.value,
            detail=self.detail,
            instance=instance,
            errors=list(self.errors),
        )
        headers = {"Cache-Control": "no-store", **self.headers}
        return Answer(self.status.value, msgspec.json.encode(details), PROBLEM_TYPE, headers)


def not_found(what: str) -> Problem:
    """Return the problem of something that is not there."""
    return Problem(HTTPStatus.NOT_FOUND, what)


def store_problem(error: StoreUnavailable | DataRefused) -> Problem:
    """Return what a fault of the database means for whoever asked; its own words stay inside."""
    if isinstance(error, DataRefused):
        return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the database takes no such value")
    retry = {"Retry-After": _RETRY_SECONDS}
    if error.sqlstate == _CANCELLED:
        detail = "the database took too long; ask for a shorter span, or again later"
        return Problem(HTTPStatus.GATEWAY_TIMEOUT, detail, headers=retry)
    detail = "the database cannot be reached or is busy; ask again later"
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers=retry)
