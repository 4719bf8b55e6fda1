"""Finds what comes before an event: of its subject, its pattern, the payment it names, its own.

Arrays are those of :mod:`shared_code.rules.sliding`; ``payments`` are codes of transaction ids.
One event is before another in key order, also at the same time, but for a payment's own statuses.
What is exactly ``within`` microseconds old no longer counts.
"""

import numpy as np

from shared_code.rules.columns import ABSENT, Integers, Mask
from shared_code.rules.ordering import ascending, ascending_pairs
from shared_code.rules.sliding import distinct_before


def previous_payments(
    times: Integers, subjects: Integers, payments: Integers, counted: Mask, within: int
) -> Integers:
    """Return the position of the last counted event of another payment of each event's subject.

    A payment's own earlier events are passed over. -1 where there is none.
    """
    found = _last_of_another(subjects, payments, counted, np.arange(times.size))
    return _younger(found, times, within)


def earlier_statuses(
    times: Integers, payments: Integers, statuses: Integers, counted: Mask, within: int
) -> Integers:
    """Return the position of the last counted event of each event's payment, of another status.

    Here what happened at the same time is not before: keys put it into the order of the numbers
    that statuses have, which tells nothing. -1 where there is none.
    """
    moved = np.ones(times.size, dtype=np.bool_)
    moved[1:] = (np.diff(times) != 0) | (np.diff(payments) != 0)
    # Keys hold what one payment reports at one time together.
    instants = np.maximum.accumulate(np.where(moved, np.arange(times.size), 0))
    return _younger(_last_of_another(payments, statuses, counted, instants), times, within)


def followed_by(
    times: Integers,
    subjects: Integers,
    payments: Integers,
    first: Mask,
    then: Mask,
    *,
    times_needed: int,
    within: int,
) -> tuple[Integers, Integers]:
    """Return where a ``then`` event follows enough payments that had a ``first`` event.

    Args:
        times: of the events, like the arrays behind it.
        subjects: whose events make up a pattern.
        payments: distinct ones are counted, but for the following event's own.
        first: the events that have to come before.
        then: the events that have to follow.
        times_needed: number of distinct payments, at least 1.
        within: how long before, in microseconds.

    Returns:
        The positions, ascending, and for each the number of payments that it follows.
    """
    pairs = _pair_codes(subjects, payments)
    own = _younger(_last_before(pairs, first, pairs), times, within)
    counts = distinct_before(times, subjects, first, payments, within) - (own != ABSENT)
    # Without a subject the count is at most zero, which is never enough.
    positions = np.flatnonzero(then & (counts >= times_needed))
    return positions, counts[positions]


def named_payments(
    times: Integers, payments: Integers, counted: Mask, named: Integers, within: int
) -> Integers:
    """Return the position of the last counted event of the payment that each event names.

    Args:
        times: of the events, like the arrays behind it.
        payments: whose event it is.
        counted: the events that may be found.
        named: code of the payment that the event names; -1 where it names none.
        within: how long before, in microseconds.

    Returns:
        Positions before the event's own; -1 where there is none.
    """
    return _younger(_last_before(payments, counted, named), times, within)


def _last_of_another(
    groups: Integers, members: Integers, counted: Mask, places: Integers
) -> Integers:
    """Return the last counted position before a place in each event's group, of another member.

    Args:
        groups: of the events; -1 for none.
        members: that is told from its own, inside its group.
        counted: the events that may be found.
        places: for each event where the search stands, the event's own or one of its group before.

    Returns:
        Positions; -1 where there is none.
    """
    before = _last_before(groups, counted, groups)
    # A run of one member's events ends at the event of another member before its first.
    starts = (before == ABSENT) | (members[before] != members)
    run_starts = _last_before(groups, counted & starts, groups)
    last = before[places]
    own = (last != ABSENT) & (members[last] == members)
    return np.where(own, before[run_starts[places]], last)


def _last_before(groups: Integers, counted: Mask, wanted: Integers) -> Integers:
    """Return for each position the last one before it that is counted and in the wanted group."""
    # At each position the search stands before the event, so that no event finds itself.
    interleaved = np.column_stack((wanted, np.where(counted, groups, ABSENT))).ravel()
    order = ascending(interleaved)
    ordered_groups = interleaved[order]
    searching = order % 2 == 0
    # Places count from 1; place 0, before all, stands for nothing found.
    places = np.where(searching, 0, np.arange(1, order.size + 1))
    last = np.maximum.accumulate(places)[searching] - 1
    sought = ordered_groups[searching]
    exists = (sought != ABSENT) & (last >= 0) & (ordered_groups[last] == sought)
    found = np.full(groups.size, ABSENT, dtype=np.int64)
    found[order[searching] // 2] = np.where(exists, order[last] // 2, ABSENT)
    return found


def _younger(found: Integers, times: Integers, within: int) -> Integers:
    """Return the positions found, but -1 for those at least ``within`` older than the finder."""
    return np.where(times - times[found] < within, found, ABSENT)


def _pair_codes(subjects: Integers, payments: Integers) -> Integers:
    """Return one code for each pair of subject and payment."""
    order = ascending_pairs(subjects, payments)
    changes = (np.diff(subjects[order]) != 0) | (np.diff(payments[order]) != 0)
    codes = np.zeros(subjects.size, dtype=np.int64)
    codes[order[1:]] = np.cumsum(changes)
    return codes
