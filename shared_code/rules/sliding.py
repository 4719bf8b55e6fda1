"""Values over sliding windows of each subject's payments, for all events at once.

Every array has one entry per payment event, in the order of the events' keys. ``times`` are
microseconds since the Unix epoch, ascending, with ties; ``subjects`` and ``items`` are codes from
zero, or -1 where the event has none; ``counted`` tells which events a rule's condition holds for.
``within`` is the window's length in microseconds, at least 1; added to a time it must fit 64 bits.
"""

from typing import Final, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from shared_code.rules.columns import ABSENT, Integers, Mask
from shared_code.rules.ordering import ascending, ascending_pairs

_LOW_BITS: Final = 32


class _Contributions(NamedTuple):
    """What each event adds to its subject's value, and for how long.

    ``events`` are positions. The event adds from ``starts`` until before ``ends``, both places in
    ``order``: the positions of all events with a subject, by subject and then by key.
    """

    order: Integers
    events: Integers
    starts: Integers
    ends: Integers


@overload
def sliding_values(
    times: Integers,
    subjects: Integers,
    counted: Mask,
    items: Integers,
    within: int,
    *,
    weights: None = None,
) -> Integers: ...
@overload
def sliding_values(
    times: Integers,
    subjects: Integers,
    counted: Mask,
    items: Integers,
    within: int,
    *,
    weights: Integers,
) -> NDArray[np.object_]: ...
def sliding_values(
    times: Integers,
    subjects: Integers,
    counted: Mask,
    items: Integers,
    within: int,
    *,
    weights: Integers | None = None,
) -> Integers | NDArray[np.object_]:
    """Return each event's value over ``(time - within, time]`` of its own subject.

    All counted events at the event's own time are in its window, also those behind it in key order.

    Returns:
        The number of distinct items. With weights their sum, as Python's integers, since it can
        exceed 64 bits: of each item the weight of its first counted event inside the window. Zero
        for events without a subject.
    """
    opens = np.searchsorted(times, times)
    contributions = _contributions(times, subjects, counted, items, within, opens=opens)
    if weights is None:
        return _totals(contributions, np.ones_like(times))
    high = _totals(contributions, weights >> _LOW_BITS)
    low = _totals(contributions, weights & (2**_LOW_BITS - 1))
    total: NDArray[np.object_] = (high.astype(np.object_) << _LOW_BITS) + low
    return total


def distinct_before(
    times: Integers, subjects: Integers, counted: Mask, items: Integers, within: int
) -> Integers:
    """Return how many distinct items each event's subject had before it.

    Before is in key order, and less than ``within`` ago. Zero for events without a subject.
    """
    opens = np.arange(1, times.size + 1)
    contributions = _contributions(times, subjects, counted, items, within, opens=opens)
    return _totals(contributions, np.ones_like(times))


def _contributions(
    times: Integers,
    subjects: Integers,
    counted: Mask,
    items: Integers,
    within: int,
    *,
    opens: Integers,
) -> _Contributions:
    """Return for how long each event is its item's first inside its subject's window.

    An event is inside the windows of the positions from ``opens`` until before the first that is
    ``within`` later. It is its item's first there once the item's counted event before it has left.
    """
    size = times.size
    closes = np.searchsorted(times, times + within)
    present = np.flatnonzero(subjects != ABSENT)
    order = present[ascending(subjects[present])]
    ranks = np.zeros(size, dtype=np.int64)
    ranks[order[1:]] = np.cumsum(np.diff(subjects[order]) != 0)

    taking = np.flatnonzero(counted & (subjects != ABSENT) & (items != ABSENT))
    events = taking[ascending_pairs(subjects[taking], items[taking])]
    later, earlier = events[1:], events[:-1]
    repeated = (subjects[later] == subjects[earlier]) & (items[later] == items[earlier])
    starts = opens[events]
    starts[1:] = np.where(repeated, np.maximum(starts[1:], closes[earlier]), starts[1:])

    # Positions and ranks of subjects, unlike times and codes, are below ``size``, so that the two
    # in one number fit 64 bits for three thousand million events.
    stride = size + 1
    places = ranks[order] * stride + order
    subject_keys = ranks[events] * stride
    return _Contributions(
        order,
        events,
        starts=np.searchsorted(places, subject_keys + starts),
        ends=np.searchsorted(places, subject_keys + closes[events]),
    )


def _totals(contributions: _Contributions, weights: Integers) -> Integers:
    """Return the sum at every position of the weights of the events that contribute there."""
    order, events, starts, ends = contributions
    steps = np.zeros(order.size + 1, dtype=np.int64)
    np.add.at(steps, starts, weights[events])
    np.subtract.at(steps, ends, weights[events])
    totals = np.zeros_like(weights)
    totals[order] = np.cumsum(steps[:-1])
    return totals
