from __future__ import annotations

import numpy as np
import pytest

from training.datasets.rows.sorted_numbers import SortedNumbers, small

MANY = np.random.default_rng(3).permutation(np.repeat(np.arange(50, 250, 2), 2))


@pytest.mark.parametrize(
    "numbers",
    [
        np.empty(0, np.int64),
        np.array([7]),
        np.arange(100, 200),
        np.random.default_rng(1).permutation(np.arange(-5, 200)),
        np.random.default_rng(2).permutation(np.arange(0, 400, 3)),
        np.array([0, np.iinfo(np.int64).max, np.iinfo(np.int64).min, 12]),
    ],
    ids=["none", "one", "in order", "without gaps", "with gaps", "far apart"],
)
def test_each_number_is_found_where_it_is_sorted(numbers: np.ndarray) -> None:
    known = SortedNumbers(numbers)
    np.testing.assert_array_equal(numbers[known.order], np.sort(numbers))
    assert known.is_distinct
    wanted = np.concatenate([numbers, [-6, 1, 99, 200, 401]])
    places = {number: place for place, number in enumerate(np.sort(numbers).tolist())}
    assert known.find(wanted).tolist() == [places.get(number, -1) for number in wanted.tolist()]
    counted_from = {number: place + 30 for number, place in places.items()}
    assert known.find(wanted, 30).tolist() == [counted_from.get(number, -1) for number in wanted.tolist()]


def test_numbers_that_are_there_twice_are_told() -> None:
    known = SortedNumbers(MANY)
    assert not known.is_distinct
    np.testing.assert_array_equal(np.sort(MANY)[known.find(MANY)], MANY)


@pytest.mark.parametrize(("most", "kind"), [((1 << 31) - 1, np.int32), (1 << 31, np.int64)])
def test_places_take_half_of_the_memory_where_all_of_them_fit(most: int, kind: type) -> None:
    np.testing.assert_array_equal(small(np.array([-1, most])), np.array([-1, most], kind), strict=True)
    assert small(np.empty(0, np.int64)).dtype == np.int32
