"""Words stand at any byte of a buffer, little-endian, and their zero bits are counted from both ends."""

from typing import Any, cast

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from numba import njit

from shared_features.kernel.loops.compiled import compiled
from shared_features.kernel.loops.machine_words import (
    leading_zeros,
    load_word,
    prefetch,
    store_word,
    trailing_zeros,
)

U64 = st.integers(0, (1 << 64) - 1)


@compiled
def _store_and_load(buffer, at, word, found):
    store_word(buffer, at, word)
    found[0] = load_word(buffer, at)


@compiled
def _zeros(word, found):
    found[0], found[1] = leading_zeros(word), trailing_zeros(word)


@njit  # not from the cache, which holds no text of the machine code
def _prefetch(matrix, at):
    prefetch(matrix, at)


@given(st.binary(min_size=8, max_size=24), U64, st.data())
def test_a_word_comes_back_from_any_byte_and_touches_no_other(before: bytes, word: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(before) - 8))
    buffer, found = np.frombuffer(before, np.uint8).copy(), np.empty(1, np.uint64)
    _store_and_load(buffer, at, np.uint64(word), found)
    assert found.tolist() == [word]
    assert buffer.tobytes() == before[:at] + word.to_bytes(8, "little") + before[at + 8 :]


@given(U64 | st.integers(0, 63).map(lambda bit: 1 << bit))
@example(0)
@example((1 << 64) - 1)
def test_zero_bits_are_counted_from_both_ends(word: int) -> None:
    found = np.empty(2, np.int64)
    _zeros(np.uint64(word), found)
    lowest = (word & -word).bit_length() - 1 if word else 64
    assert found.tolist() == [64 - word.bit_length(), lowest]


def test_prefetching_changes_nothing_and_asks_for_no_place_that_exists() -> None:
    matrix = np.arange(12).reshape(4, 3)
    for at in (0, 3, 4, 1 << 40, -1):
        _prefetch(matrix, at)
    assert matrix.tolist() == np.arange(12).reshape(4, 3).tolist()
    (text,) = cast(Any, _prefetch).inspect_llvm().values()
    assert "@llvm.prefetch" in text
