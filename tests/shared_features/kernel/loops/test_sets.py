"""The sketch: exact up to k, close beyond, and the same whatever was merged first."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared_features.errors import DefinitionError
from shared_features.kernel.aggregations import ApproxDistinct
from shared_features.kernel.event_time import DAY_US, HOUR_US
from shared_features.kernel.feature_spec import Column, FeatureSpec
from shared_features.kernel.layout import Layout
from shared_features.kernel.replay import apply, read
from shared_features.kernel.tile_state import TileState
from tests.strategies import ORIGIN_US


def distinct(values: NDArray[np.int64], k: int) -> float:
    features = (FeatureSpec("d", ApproxDistinct(k), 0, 7 * DAY_US, HOUR_US),)
    state = TileState(Layout((Column("place", 0),), features, 0))
    count = len(values)
    times = ORIGIN_US + np.arange(count) * (6 * DAY_US // count)
    slots = state.add(1).repeat(count)
    apply(state, slots, times, np.arange(count), values[:, None], np.ones((count, 1), np.bool_))
    return float(read(state, [0], ORIGIN_US + 6 * DAY_US)[0, 0])


@pytest.mark.parametrize("different", [1, 17, 255])
def test_up_to_k_it_is_exact(different: int) -> None:
    assert distinct(np.arange(3 * different) % different, 256) == different


@pytest.mark.parametrize("different", [300, 5_000])
def test_beyond_k_it_errs_by_about_one_over_the_root_of_k(different: int) -> None:
    estimate = distinct(np.random.default_rng(3).integers(0, different, 20 * different) * 7 - 3, 256)
    assert abs(estimate / different - 1) < 3 / 256**0.5


@given(st.lists(st.lists(st.integers(0, 30), max_size=60), min_size=1, max_size=5), st.integers(2, 40))
def test_what_one_read_has_counted_does_not_show_in_the_next(entities: list[list[int]], k: int) -> None:
    """Few and many values take turns, so that sets which are full follow those which are not."""
    layout = Layout((Column("place", 0),), (FeatureSpec("d", ApproxDistinct(k), 0, 7 * DAY_US, HOUR_US),), 0)
    state = TileState(layout)
    slots, times = state.add(len(entities)), np.arange(60) * 2 * HOUR_US + ORIGIN_US
    for slot, values in zip(slots, entities, strict=True):
        column = np.array(values, np.int64)[:, None]
        apply(state, [slot] * len(column), times[: len(column)], np.arange(len(column)), column, column >= 0)
    together = read(state, slots, ORIGIN_US + 6 * DAY_US)[:, 0]
    assert together.tolist() == [float(read(state, [slot], ORIGIN_US + 6 * DAY_US)[0, 0]) for slot in slots]
    few = [at for at, values in enumerate(entities) if len(set(values)) < k]
    assert together[few].tolist() == [len(set(entities[at])) for at in few]


def test_k_has_bounds() -> None:
    with pytest.raises(DefinitionError, match="k must lie in"):
        ApproxDistinct(1)
