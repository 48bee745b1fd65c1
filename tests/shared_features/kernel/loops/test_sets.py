"""The sketch: exact up to k, close beyond, and the same whatever was merged first."""

import numpy as np
import pytest
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


def test_k_has_bounds() -> None:
    with pytest.raises(DefinitionError, match="k must lie in"):
        ApproxDistinct(1)
