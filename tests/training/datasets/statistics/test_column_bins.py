import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.datasets.statistics.column_bins import MOST_VALUES, choose_bins, stability_index

NUMBERS = st.lists(st.one_of(st.none(), st.floats(width=32)), max_size=60)


@given(NUMBERS)
def test_every_number_is_in_the_bin_between_its_edges_or_in_none(values: list[float | None]) -> None:
    column = pl.Series("x", values, pl.Float32)
    bins = choose_bins(column)
    edges = [-np.inf, *bins.edges, np.inf]
    places = bins.places(column)
    for value, place in zip(column.to_list(), places.tolist(), strict=True):
        if value is None or not np.isfinite(value):
            assert place == -1
        else:
            assert edges[place] < value <= edges[place + 1]
    assert sum(bins.counted(places)) == sum(places >= 0)


def test_deciles_part_numbers_into_ten_equal_shares() -> None:
    column = pl.Series("x", np.arange(1000.0))
    bins = choose_bins(column)
    assert bins.counted(bins.places(column)) == (100,) * 10


def test_a_category_has_a_bin_of_each_frequent_value_and_one_of_all_others() -> None:
    texts = [f"t{number:02}" for number in range(40) for _ in range(50 - number)]
    bins = choose_bins(pl.Series("x", texts))
    assert bins.values == tuple(f"t{number:02}" for number in range(MOST_VALUES))
    seen = pl.Series("x", ["t00", "t39", "never seen", None])
    assert bins.places(seen).tolist() == [0, MOST_VALUES, MOST_VALUES, -1]
    empty = choose_bins(pl.Series("x", [None, None], pl.String))
    assert empty.counted(empty.places(seen)) == (0, 3)


def test_the_stability_index_is_nothing_for_equal_shares_and_grows_with_the_shift() -> None:
    assert stability_index((100, 200), (1000, 2000)) == pytest.approx(0, abs=1e-3)
    little, much = stability_index((100, 100), (90, 110)), stability_index((100, 100), (20, 180))
    assert little is not None
    assert much is not None
    assert 0 < little < 0.1 < 0.25 < much < 1
    assert stability_index((1, 1), (0, 0)) is None
    assert stability_index((100, 0), (0, 100)) is not None, "an empty bin is no infinity"
