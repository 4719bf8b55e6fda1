"""Orders of codes are those that sorting stably gives."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared_code.rules.ordering import ascending, ascending_pairs, numbered

LARGEST = 2**31 - 1
CODES = st.lists(st.integers(-1, 4) | st.integers(-1, LARGEST), max_size=30)
PAIRS = st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, LARGEST) | st.integers(-1, 2)))


@given(CODES)
def test_positions_are_in_the_order_of_their_codes_and_else_as_they_were(codes: list[int]) -> None:
    expected = sorted(range(len(codes)), key=codes.__getitem__)
    assert ascending(np.array(codes, dtype=np.int32)).tolist() == expected


@given(PAIRS)
def test_pairs_are_in_the_order_of_the_first_and_then_of_the_second(
    pairs: list[tuple[int, int]],
) -> None:
    columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    expected = sorted(range(len(pairs)), key=pairs.__getitem__)
    assert ascending_pairs(*columns).tolist() == expected


@given(st.lists(st.integers(0, 20) | st.integers(0, 2**62), max_size=30))
def test_codes_are_numbered_in_their_order_without_gaps(codes: list[int]) -> None:
    known = {code: number for number, code in enumerate(sorted(set(codes)))}
    expected = [known[code] for code in codes]
    assert numbered(np.array(codes, dtype=np.int64)).tolist() == expected
