"""Known numbers are a set, in as many ranges as it has holes."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streaming.archive.known_numbers import KnownNumbers

NUMBERS = st.lists(st.integers(-5, 40) | st.integers(-(1 << 63), (1 << 63) - 2), max_size=20)


@given(NUMBERS, st.lists(NUMBERS, max_size=4), NUMBERS)
def test_it_equals_a_set(first, added, asked):
    known, wanted = KnownNumbers(np.array(first, np.int64)), set(first)
    for each in added:
        known.add(np.array(each, np.int64))
        wanted |= set(each)
    probes = [*asked, *first, *(number + 1 for number in first)]
    assert known.has(np.array(probes, np.int64)).tolist() == [number in wanted for number in probes]
    ordered = sorted(wanted)
    assert len(known) == sum(right - left > 1 for left, right in pairwise(ordered)) + bool(ordered)
