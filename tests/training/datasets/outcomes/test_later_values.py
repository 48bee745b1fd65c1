"""What later events of a key come to, compared with a loop over all of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared_features import Count, LaterEvents, Sum, days
from training.datasets.outcomes.later_values import Happened, later_outcomes, later_sums

_INSTANTS = st.integers(-5, 20)
_EVENTS = st.lists(st.tuples(st.integers(0, 3), _INSTANTS, st.integers(-(2**40), 2**40)), max_size=25)
_ROWS = st.lists(st.tuples(st.integers(-1, 3), _INSTANTS), max_size=12)


def numbers(values: list[int]) -> np.ndarray:
    return np.array(values, np.int64)


@given(_EVENTS, _ROWS, st.integers(1, 8))
def test_the_sum_of_later_events_equals_its_definition(
    events: list[tuple[int, int, int]], rows: list[tuple[int, int]], within: int
) -> None:
    happened = Happened(*(numbers([each[at] for each in events]) for at in range(3)))
    found = later_sums(happened, numbers([key for key, _ in rows]), numbers([at for _, at in rows]), within)
    naive = [
        sum(value for whose, time, value in events if whose == key and at < time <= at + within) for key, at in rows
    ]
    assert found.tolist() == naive


def test_a_sum_is_exact_where_the_sum_of_all_keys_does_not_fit_64_bits() -> None:
    most = 2**62
    events = Happened(numbers([0, 1, 2, 3]), numbers([1, 1, 1, 1]), numbers([most, most, most, 7]))
    assert later_sums(events, numbers([3, 0]), numbers([0, 0]), 1).tolist() == [7, most]


def test_a_label_is_the_number_or_whether_it_meets_the_comparison() -> None:
    sums = numbers([0, 250, 1000])
    assert later_outcomes(LaterEvents("price", Sum(), days(1)), sums, 100).tolist() == [0.0, 2.5, 10.0]
    expected = {
        "==": [0, 1, 0], "!=": [1, 0, 1], ">": [0, 0, 1], ">=": [0, 1, 1], "<": [1, 0, 0], "<=": [1, 1, 0],
    }  # fmt: skip
    for operator, labels in expected.items():
        later = LaterEvents("price", Sum(), days(1), operator, 2.5)  # type: ignore[arg-type]  # a key of the table
        assert later_outcomes(later, sums, 100).tolist() == labels
    assert later_outcomes(LaterEvents(None, Count(), days(1), "==", 0), sums, 1).tolist() == [1.0, 0.0, 0.0]
