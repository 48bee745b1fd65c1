"""A number is held within its quantiles, or becomes the range that it is in: by values that there are."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.models.encoders import Binned, Winsorized
from training.models.encoding.number_ranges import binned_number, held_number

INF, NAN = np.inf, np.nan
floats = st.lists(st.floats(width=32, allow_nan=True), min_size=1, max_size=40)


def quantile(values: list[float], share: float) -> float:
    """The definition: the smallest value that at least this share of the values does not exceed."""
    finite = sorted(value for value in values if math.isfinite(value))
    counted = (sum(other <= value for other in finite) / len(finite) for value in finite)
    return next(value for value, below in zip(finite, counted, strict=True) if below >= share - 1e-12)


@given(floats, st.sampled_from([(0.0, 1.0), (0.1, 0.9), (0.25, 0.5)]))
def test_what_lies_beyond_a_quantile_becomes_the_quantile(values: list[float], ends: tuple[float, float]) -> None:
    column = np.array(values, np.float32)
    found = held_number(Winsorized(*ends), column).encode(column)[:, 0]
    if not np.isfinite(column).any():
        assert set(found[~np.isnan(found)]) <= {0}
        return
    low, high = (quantile([float(each) for each in column], share) for share in ends)
    wanted = [value if math.isnan(value) else min(max(value, low), high) for value in column.tolist()]
    np.testing.assert_array_equal(found, np.array(wanted, np.float32))


@given(floats, st.integers(2, 6))
def test_a_bin_is_the_number_of_ends_that_lie_below(values: list[float], bins: int) -> None:
    column = np.array(values, np.float32)
    part = binned_number(Binned(bins), column)
    finite = [float(each) for each in column if np.isfinite(each)]
    ends = sorted({quantile(finite, at / bins) for at in range(1, bins)} - {max(finite)}) if finite else []
    assert part.ends.tolist() == ends
    wanted = [NAN if math.isnan(each) else sum(end < each for end in ends) for each in column.tolist()]
    np.testing.assert_array_equal(part.encode(column)[:, 0], np.array(wanted, np.float32))


def test_infinities_are_in_the_outer_bins_and_rows_spread_over_all() -> None:
    column = np.arange(100, dtype=np.float32)
    part = binned_number(Binned(4), column)
    assert part.encode(np.array([-INF, 24, 25, 50, INF, NAN], np.float32))[:, 0].tolist()[:5] == [0, 0, 1, 2, 3]
    assert np.bincount(part.encode(column)[:, 0].astype(int)).tolist() == [25, 25, 25, 25]
