"""Eight words at a time give what Python's integers give, in every lane."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared_features.kernel.loops.compiled import compiled
from shared_features.kernel.loops.lanes import (
    LANES,
    add_lanes,
    carries,
    lanes_at,
    no_lanes,
    put_lanes,
    rows_to_spare,
    signs,
)

EDGES = [0, 1, -1, (1 << 63) - 1, -(1 << 63), 1 << 62, -(1 << 62)]
WORDS = st.lists(st.sampled_from(EDGES) | st.integers(-(1 << 63), (1 << 63) - 1), min_size=LANES, max_size=LANES)


@compiled
def _sums(rows, into):
    total, high = no_lanes(), no_lanes()
    for row in range(rows.shape[0]):
        words = lanes_at(rows, row, 1)
        total = add_lanes(total, words)
        high = add_lanes(high, add_lanes(carries(total, words), signs(words)))
    put_lanes(into, 0, total)
    put_lanes(into, LANES, high)


@given(st.lists(WORDS, max_size=6))
def test_sums_of_eight_columns_are_those_of_whole_numbers(rows) -> None:
    into = np.full(2 * LANES, 5)
    _sums(np.array([[99, *row] for row in rows], np.int64).reshape(-1, 1 + LANES), into)
    lows, highs = into[:LANES].tolist(), into[LANES:].tolist()
    found = [(high << 64) + low % (1 << 64) for low, high in zip(lows, highs, strict=True)]
    assert found == [sum(row[lane] for row in rows) for lane in range(LANES)]


@given(st.integers(1, 40))
def test_spare_rows_hold_the_lanes_behind_the_last_row(words: int) -> None:
    rows = rows_to_spare(words)
    assert rows * words >= LANES - 1
    assert (rows - 1) * words < LANES - 1
