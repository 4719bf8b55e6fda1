"""What can be asked for: a table of resources, from which requests and the document are served."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

import msgspec

from shared_code.store.read.paging import Listing, Page, Span
from shared_code.store.read.snapshot import Snapshot
from shared_code.web.cursors import MOST_CHARACTERS, PATTERN
from shared_code.web.parameters import Choice, Instant, Parameter, Text, Whole
from shared_code.web.problems import ParameterError, Problem

LONGEST_SPAN: Final = timedelta(days=31)
DEFAULT_SPAN: Final = timedelta(days=1)
MOST_ITEMS: Final = 1_000
DEFAULT_ITEMS: Final = 200
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)

SPAN: Final = (
    Parameter("from", Instant(), "First instant; 24 hours before `to` if it is left out."),
    Parameter("to", Instant(), "End, not included, at most 31 days on; now if it is left out."),
)
EVER: Final = (
    Parameter("from", Instant(), "First instant; left out, there is no first."),
    Parameter("to", Instant(), "End, not included; left out, there is no end."),
)
PAGING: Final = (
    Parameter("limit", Whole(1, MOST_ITEMS), "How many items at most.", default=str(DEFAULT_ITEMS)),
    Parameter(
        "cursor",
        Text(PATTERN, MOST_CHARACTERS, "WyI2ZjFm"),
        "`next_cursor` of the page before, with the parameters of that page.",
    ),
    Parameter("format", Choice(("json", "csv")), "How it is written; goes before Accept."),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a resource, checked.

    Attributes:
        values: of the parameters, by name.
        span: that a list is of; None if it is of none.
        page: of a list.
    """

    values: Mapping[str, Any]
    span: Span | None = None
    page: Page = field(default_factory=lambda: Page(DEFAULT_ITEMS))

    @property
    def whole_span(self) -> Span:
        """The span of a list that always has one."""
        if self.span is None:
            raise ValueError("the resource has no span among its parameters")
        return self.span


type Read = Callable[[Snapshot, Asked], Any]


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing that can be asked for.

    Attributes:
        path: segments after the version, parameters in braces.
        name: of the operation, and of the file that CSV is saved as.
        summary: a sentence for people.
        item: what it is, or what it is a list of; None for JSON of any shape.
        read: gets it: a ``Listing`` for a list, None for what is not there, else the item, or its
            JSON text.
        parameters: of the path and of the query.
        key_types: what a list's keys are made of; None for what is no list.
    """

    path: str
    name: str
    summary: str
    item: type[msgspec.Struct] | None
    read: Read
    parameters: tuple[Parameter, ...] = ()
    key_types: tuple[Any, ...] | None = None

    def match(self, segments: Sequence[str]) -> dict[str, str] | None:
        """Return the path's parameters by name; None if a path is another resource's."""
        own = self.path.strip("/").split("/")
        if len(own) != len(segments):
            return None
        found: dict[str, str] = {}
        for expected, given in zip(own, segments, strict=True):
            if expected.startswith("{"):
                found[expected[1:-1]] = given
            elif expected != given:
                return None
        return found


def listed(
    path: str,
    name: str,
    summary: str,
    item: type[msgspec.Struct],
    read: Callable[[Snapshot, Asked], Listing[Any]],
    *parameters: Parameter,
    key: tuple[Any, ...],
) -> Resource:
    """Return a list, paged and in any format; a span is among the parameters if it has one."""
    return Resource(path, name, summary, item, read, (*parameters, *PAGING), key)


def span_of(
    values: Mapping[str, Any], parameters: Sequence[Parameter], now: datetime
) -> Span | None:
    """Return the span that is asked for; None if the list has none, or is of all time.

    Raises:
        Problem: it is empty or too long.
    """
    if SPAN[0] in parameters:
        end = values["to"] or now
        start = values["from"] or end - DEFAULT_SPAN
        return checked_span(Span(start, end), LONGEST_SPAN)
    if EVER[0] not in parameters or not (values["from"] or values["to"]):
        return None
    return checked_span(Span(values["from"] or _FIRST, values["to"] or now), None)


def checked_span(span: Span, longest: timedelta | None) -> Span:
    """Return a span that is not empty and not too long.

    Raises:
        Problem: it is.
    """
    if span.start >= span.end:
        raise _refused("`from` has to be before `to`")
    if longest is not None and span.end - span.start > longest:
        detail = f"a span has at most {longest.days} days; ask for one after the other"
        raise _refused(detail)
    return span


def _refused(detail: str) -> Problem:
    errors = [ParameterError("from", detail)]
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors)
