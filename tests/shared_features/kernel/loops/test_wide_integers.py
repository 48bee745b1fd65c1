"""Values are those of exact integers, rounded once, however large the numbers and however many."""

import math

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from shared_features.kernel.aggregations import ApproxDistinct, Max, Mean, Min, Std, Sum
from shared_features.kernel.event_time import DAY_US, HOUR_US
from shared_features.kernel.feature_spec import MAX_DECIMALS, MAX_VALUE, Column, FeatureSpec
from shared_features.kernel.layout import Layout
from shared_features.kernel.loops.compiled import compiled
from shared_features.kernel.loops.wide_integers import divide
from shared_features.kernel.replay import apply, read
from shared_features.kernel.tile_state import TileState
from tests import oracle
from tests.oracle import Event
from tests.strategies import ORIGIN_US

AGGREGATIONS = (Sum(), Mean(), Min(), Max(), Std(), ApproxDistinct(k=16))
MASK = (1 << 64) - 1


@compiled
def _divide(words, quotients):
    for i in range(words.shape[0]):
        quotients[i] = divide(words[i, 0], words[i, 1], words[i, 2], words[i, 3])


@given(st.integers(0, (1 << 192) - 1), st.integers(1, (1 << 63) - 1))
@example((1 << 53) + 1, 1)  # halfway: to even
@example((1 << 53) + 3, 1)
@example((1 << 192) - 1, 1)
@example((1 << 55) + 1, 1 << 2)
@example(1, (1 << 63) - 1)
def test_a_quotient_is_the_nearest_double(number: int, divisor: int) -> None:
    words = np.array([[number >> 128, (number >> 64) & MASK, number & MASK, divisor]], np.uint64)
    quotient = np.empty(1)
    _divide(words, quotient)
    assert quotient[0] == number / divisor


@given(
    st.integers(0, MAX_DECIMALS),
    st.lists(
        st.integers(-MAX_VALUE, MAX_VALUE)
        | st.sampled_from([MAX_VALUE, -MAX_VALUE, MAX_VALUE - 1, 1, -1, 0, 1 << 31, (1 << 26) + 1])
        | st.integers(-(10**7), 10**7),
        min_size=1,
        max_size=60,
    ),
)
@example(MAX_DECIMALS, [MAX_VALUE] * 59 + [MAX_VALUE - 1])
@example(0, [MAX_VALUE, -MAX_VALUE] * 30)
def test_values_are_those_of_exact_integers(decimals: int, numbers: list[int]) -> None:
    features = tuple(FeatureSpec(each.name, each, 0, DAY_US, HOUR_US) for each in AGGREGATIONS)
    layout = Layout((Column("amount", decimals),), features, 0)
    state = TileState(layout)
    times = [ORIGIN_US + i * 7 * HOUR_US // 60 for i in range(len(numbers))]
    events = [Event(time, i, (v,), (True,)) for i, (time, v) in enumerate(zip(times, numbers, strict=True))]
    everything = np.ones((len(numbers), 1), np.bool_)
    values = np.array(numbers)[:, None]
    apply(state, state.add(1).repeat(len(numbers)), times, np.arange(len(numbers)), values, everything)
    as_of = ORIGIN_US + DAY_US
    wanted = [oracle.value(layout, feature, events, as_of) for feature in features]
    np.testing.assert_array_equal(read(state, [0], as_of)[0], wanted)


def test_a_million_extremes_are_still_exact() -> None:
    """A running 64-bit sum of squares would have wrapped at the first, a double would have rounded at the second."""
    features = tuple(FeatureSpec(each.name, each, 0, DAY_US, HOUR_US) for each in (Sum(), Mean(), Std()))
    layout = Layout((Column("amount", 3),), features, 0)
    state = TileState(layout)
    count, odd = 1_000_000, 3
    values = np.full((count, 1), MAX_VALUE)
    values[:odd] = 1 - MAX_VALUE
    times = ORIGIN_US + np.arange(count)
    apply(state, state.add(1).repeat(count), times, np.arange(count), values, np.ones((count, 1), np.bool_))
    total = (count - odd) * MAX_VALUE + odd * (1 - MAX_VALUE)
    squares = (count - odd) * MAX_VALUE**2 + odd * (1 - MAX_VALUE) ** 2
    std = math.sqrt((count * squares - total**2) / (count * (count - 1))) / 1000
    assert read(state, [0], ORIGIN_US + HOUR_US)[0].tolist() == [total / 1000, total / (count * 1000), std]
