"""Varints come back, take the fewest bytes, and never read past the end."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from shared_features.kernel.loops.compiled import compiled
from shared_features.kernel.loops.varints import (
    SPARE_BYTES,
    get_varint,
    get_wide,
    put_varint,
    put_wide,
    unzigzag,
    zigzag,
)

I64 = st.integers(-(1 << 63), (1 << 63) - 1)


@compiled
def _there_and_back(number, high, low, buffer, found, ends):
    ends[0] = put_varint(buffer, 0, zigzag(number))
    ends[1] = put_wide(buffer, ends[0], high, low)
    word, at = get_varint(buffer, 0, ends[1])
    found[0] = unzigzag(word)
    found[1], found[2], at = get_wide(buffer, at, ends[1])
    ends[2] = at
    ends[3] = get_varint(buffer, at, ends[1])[1]


@given(I64 | st.integers(-300, 300), I64 | st.integers(-1, 0), I64)
@example(-(1 << 63), -1, -(1 << 62))
@example((1 << 55) - 1, 0, (1 << 62) - 1)
@example(1 << 55, 0, 1 << 62)
def test_a_number_comes_back(number: int, high: int, low: int) -> None:
    buffer, found, ends = np.zeros(26 + SPARE_BYTES, np.uint8), np.empty(3, np.int64), np.empty(4, np.int64)
    _there_and_back(number, high, low, buffer, found, ends)
    assert found.tolist() == [number, high, low]
    code = 2 * number if number >= 0 else -2 * number - 1
    assert ends[0] == (9 if code >> 56 else max(1, -(-code.bit_length() // 7)))
    assert ends[2] == ends[1]
    assert ends[3] > ends[1]  # nothing is left to read, and that shows
