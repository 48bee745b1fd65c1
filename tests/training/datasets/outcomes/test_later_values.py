"""What later events of a key come to, compared with a loop over all of them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared_features import Count, LaterEvents, Max, Mean, Min, Sum, days
from shared_features.kernel.aggregations import Aggregation
from training.datasets.outcomes.later_values import Happened, LaterValues, later_outcomes

_INSTANTS = st.integers(-5, 20)
_EVENTS = st.lists(st.tuples(st.integers(0, 3), _INSTANTS, st.integers(-(2**40), 2**40)), max_size=25)
_ROWS = st.lists(st.tuples(st.integers(-1, 3), _INSTANTS), max_size=12)


def numbers(values: list[int]) -> np.ndarray:
    return np.array(values, np.int64)


def later_values(events: list[tuple[int, int, int]], rows: list[tuple[int, int]], within: int) -> LaterValues:
    happened = Happened(*(numbers([each[at] for each in events]) for at in range(3)))
    return LaterValues(happened, numbers([key for key, _ in rows]), numbers([at for _, at in rows]), within)


@given(_EVENTS, _ROWS, st.integers(1, 8), st.sampled_from([Count(), Sum(), Mean(), Min(), Max()]))
def test_the_value_of_later_events_equals_its_definition(
    events: list[tuple[int, int, int]], rows: list[tuple[int, int]], within: int, aggregation: Aggregation
) -> None:
    events = [(key, at, 1 if isinstance(aggregation, Count) else value) for key, at, value in events]
    later = LaterEvents(None if isinstance(aggregation, Count) else "price", aggregation, days(1))
    found = later_outcomes(later, later_values(events, rows, within), 4)
    inside = [[value for whose, time, value in events if whose == key and at < time <= at + within] for key, at in rows]
    naive = {
        "count": lambda values: len(values) / 4,
        "sum": lambda values: sum(values) / 4,
        "mean": lambda values: sum(values) / len(values) / 4 if values else math.nan,
        "min": lambda values: min(values) / 4 if values else math.nan,
        "max": lambda values: max(values) / 4 if values else math.nan,
    }[aggregation.name]
    np.testing.assert_array_equal(found, [naive(each) for each in inside])


def test_a_sum_is_exact_where_the_sum_of_all_keys_does_not_fit_64_bits() -> None:
    most = 2**62
    events = [(0, 1, most), (1, 1, most), (2, 1, most), (3, 1, 7)]
    assert later_values(events, [(3, 0), (0, 0)], 1).sums.tolist() == [7, most]


def test_a_label_is_the_number_or_whether_it_meets_the_comparison() -> None:
    rows = [(0, 0), (1, 0), (2, 0)]
    values = later_values([(1, 1, 250), (2, 1, 1000)], rows, 1)
    assert later_outcomes(LaterEvents("price", Sum(), days(1)), values, 100).tolist() == [0.0, 2.5, 10.0]
    expected = {
        "==": [0, 1, 0], "!=": [1, 0, 1], ">": [0, 0, 1], ">=": [0, 1, 1], "<": [1, 0, 0], "<=": [1, 1, 0],
    }  # fmt: skip
    for operator, labels in expected.items():
        later = LaterEvents("price", Sum(), days(1), operator, 2.5)  # type: ignore[arg-type]  # a key of the table
        assert later_outcomes(later, values, 100).tolist() == labels
        mean = replace(later, aggregation=Mean())
        np.testing.assert_array_equal(later_outcomes(mean, values, 100), [math.nan, *labels[1:]])
    assert later_outcomes(LaterEvents("price", Sum(), days(1), "==", 0), values, 1).tolist() == [1.0, 0.0, 0.0]
