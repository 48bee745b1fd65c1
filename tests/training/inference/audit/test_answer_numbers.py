"""Numbers as ranges are the set of these numbers, whatever comes in which order."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.inference.audit.answer_numbers import AnswerNumbers, NumberRanges

NUMBERS = st.sets(st.integers(-3, 40), max_size=20)


@given(st.lists(NUMBERS, max_size=6))
def test_ranges_say_what_is_new_and_what_is_missing_as_a_set_does(parts: list[set[int]]) -> None:
    ranges, seen = NumberRanges(), set[int]()
    for part in parts:
        new = ranges.add(np.array(sorted(part), np.int64))
        assert new.tolist() == [number not in seen for number in sorted(part)]
        seen |= part
    assert ranges.highest == max(seen, default=-1)
    whole = NumberRanges()
    whole.merge(ranges, ranges.highest)
    missing = {number for first, last in whole.holes for number in range(first, last + 1)}
    assert missing == set(range(ranges.highest + 1)) - seen


def test_a_number_that_comes_again_is_known_in_one_batch_and_over_several() -> None:
    numbers = AnswerNumbers()
    assert numbers.add("a", np.array([0, 0, 3])).tolist() == [True, False, True]
    assert numbers.add("b", np.array([0])).tolist() == [True]
    assert numbers.add("a", np.array([10**15, 3])).tolist() == [True, False]
    doubtful = AnswerNumbers()
    doubtful.add("a", np.array([2, 2 * 10**15]))
    doubtful.add("c", np.array([5]))
    assert numbers.missing(doubtful) == {"a": [(1, 1), (4, 10**15 - 1)]}


def test_the_first_numbers_may_have_been_deleted_with_the_first_days_of_the_log() -> None:
    numbers, nothing = AnswerNumbers(), AnswerNumbers()
    numbers.add("a", np.array([3, 5]))
    assert numbers.missing(nothing) == {"a": [(0, 2), (4, 4)]}
    assert numbers.missing(nothing, is_cut=True) == {"a": [(4, 4)]}


def test_a_million_numbers_in_a_row_are_one_range() -> None:
    ranges = NumberRanges()
    for start in range(0, 1_000_000, 50_000):
        ranges.add(np.arange(start, start + 50_000))
    assert (len(ranges._first), ranges.highest, ranges.holes) == (1, 999_999, [])
