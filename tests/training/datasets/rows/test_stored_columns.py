from __future__ import annotations

import numpy as np
import polars as pl

from tests.domains.machines import MACHINE_HEAT
from training.datasets.rows.stored_columns import StoredColumns

FEATURES = MACHINE_HEAT.features[:2]
NAMES = [each.name for each in FEATURES]


def table(lengths: list[int]) -> pl.DataFrame:
    """Of so many chunks."""
    random = np.random.default_rng(6)
    return pl.concat([pl.DataFrame({name: random.random(n) for name in NAMES}) for n in lengths], rechunk=False)


def test_values_are_found_in_whichever_chunk_they_are() -> None:
    frame = table([10, 1, 30])
    columns = StoredColumns(frame, FEATURES)
    for lines in (
        np.arange(41)[::-1],
        np.array([3, 4, 2]),
        np.array([40, 11]),
        np.array([9, 10, 11]),
        np.empty(0, int),
    ):
        rows = columns.rows(lines.astype(np.int32))
        for feature in FEATURES:
            np.testing.assert_array_equal(rows.values(feature), frame[feature.name].to_numpy()[lines])
            assert rows.values(feature) is rows.values(feature), "looked up once"


def test_columns_that_are_cut_elsewhere_and_missing_values_are_read_alike() -> None:
    first, second = table([5, 5]), table([10])
    frame = first.with_columns(second[NAMES[1]]).with_columns(pl.col(NAMES[0]).replace(first[NAMES[0]][3], None))
    columns = StoredColumns(frame, FEATURES)
    np.testing.assert_array_equal(columns.at(FEATURES[1], np.arange(10)), second[NAMES[1]].to_numpy())
    found = columns.at(FEATURES[0], np.arange(10))
    assert np.flatnonzero(np.isnan(found)).tolist() == [3]


def test_a_span_without_rows_has_no_values() -> None:
    columns = StoredColumns(table([1]).clear(), FEATURES)
    assert columns.at(FEATURES[0], np.empty(0, np.int32)).tolist() == []
