"""Guesses which column holds which field, from names and values."""

from typing import Final, NamedTuple

from simulator.replay.describing.samples import Column, Sample
from simulator.replay.describing.synonyms import NAMES, likeness
from simulator.replay.describing.value_kinds import fitness, telling, time_kind, time_of_day

# Fields whose values tell them whatever the column is called.
_TELLING: Final = frozenset({"currency", "customer.email", "card.number"})
_MOSTLY: Final = 0.9
_LEAST: Final = 0.4
_HIGH: Final = 0.85
_MEDIUM: Final = 0.6
_OWN_FIELDS: Final = (
    "transaction_id",
    "event_time",
    "amount",
    "currency",
    "payment_method",
    "payment_status",
)


class Guess(NamedTuple):
    """A column that probably holds a field; ``certainty`` is 0 to 1."""

    field: str
    column: Column
    certainty: float
    why: str

    @property
    def confidence(self) -> str:
        """The certainty as a word."""
        if self.certainty >= _HIGH:
            return "high"
        return "medium" if self.certainty >= _MEDIUM else "low"


class Guesses(NamedTuple):
    """The best guess of each field that there is one for, and a column of times of day."""

    by_field: dict[str, Guess]
    time_column: Column | None
    left: tuple[Column, ...]


def holds_own_events(sample: Sample) -> bool:
    """Tell whether the rows are payment events already."""
    fits = {
        column.name: min(1.0, fitness(column, column.name) or 0.0)
        for column in sample.columns
        if column.name in _OWN_FIELDS
    }
    times = [time_kind(column) for column in sample.columns if column.name == "event_time"]
    return (
        len(fits) == len(_OWN_FIELDS)
        and all(fits.values())
        and times[0].format == "rfc3339"
        and not times[0].needs_zone
    )


def guess(sample: Sample) -> Guesses:
    """Return the best guesses, each column used once, the surest first."""
    candidates = [
        found
        for field in NAMES
        for column in sample.columns
        if (found := _candidate(field, column)) is not None
    ]
    by_field: dict[str, Guess] = {}
    used: set[str] = set()
    for found in sorted(candidates, key=lambda candidate: -candidate.certainty):
        if found.field not in by_field and found.column.name not in used:
            by_field[found.field] = found
            used.add(found.column.name)
    time_column = _time_column(by_field.get("event_time"), sample, used)
    if time_column is not None:
        used.add(time_column.name)
        by_field = {
            field: found for field, found in by_field.items() if found.column != time_column
        }
    left = tuple(column for column in sample.columns if column.name not in used)
    return Guesses(by_field, time_column, left)


def _candidate(field: str, column: Column) -> Guess | None:
    name = likeness(column.name, field)
    fit = fitness(column, field)
    if not column.texts or fit == 0:
        return None
    if not name:
        sure = telling(column, field) if field in _TELLING else 0.0
        if sure < _MOSTLY:
            return None
        return Guess(field, column, 0.5 * sure, f"{sure:.0%} of the values fit")
    if fit is None:
        certainty = 0.9 * name
        return Guess(field, column, certainty, "by its name") if certainty >= _LEAST else None
    certainty = 0.6 * name + 0.4 * fit
    if certainty < _LEAST:
        return None
    return Guess(field, column, certainty, f"by its name, and {fit:.0%} of the values fit")


def _time_column(event_time: Guess | None, sample: Sample, used: set[str]) -> Column | None:
    """Return the column that has the time of day, if the guessed one has but the date."""
    if event_time is None or not time_kind(event_time.column).date_only:
        return None
    for column in sample.columns:
        if column.name not in used and time_of_day(column) is not None:
            return column
    return None
