"""The matrix made a few columns and rows at a time has the bits of the matrix made at once, as serving makes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shared_features.feature_matrix import category_codes, feature_matrix
from tests.training.datasets.rows.several_groups import HOTTER_PLANT
from tests.training.lake import LATENESS_US
from tests.training.machine_streams import START_US, end_us
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.datasets.point_in_time import read_spine_rows
from training.datasets.rows import column_parts, matrix_columns, stored_columns
from training.datasets.rows.joined_spine import join_spine
from training.datasets.rows.matrix_columns import view_values
from training.datasets.training_dataset import canonical


@pytest.mark.parametrize(("features", "rows"), [(1, 97), (6, 8_192)])
def test_a_few_columns_at_a_time_give_the_bits_of_all_at_once(
    machine_lake: Path, features: int, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(column_parts, "FEATURES_AT_ONCE", features)
    monkeypatch.setattr(matrix_columns, "ROWS_AT_ONCE", rows)
    monkeypatch.setattr(stored_columns, "ROWS_AT_ONCE", rows)
    pinned = pin_view(OfflineStore(machine_lake), HOTTER_PLANT, LATENESS_US)
    whole = read_spine_rows(pinned, START_US, end_us())
    wanted = canonical(feature_matrix(HOTTER_PLANT, whole.request, whole.event_time_us, whole.stored))
    spine = join_spine(pinned, START_US, end_us())
    assert len(spine) == len(wanted) > 97
    assert spine.copies == whole.copies > 0
    chosen = np.arange(0, len(spine), 3)
    sample = spine.take(chosen[::5])
    found = view_values(spine.take(chosen), sample)
    np.testing.assert_array_equal(found.matrix.view(np.uint32), wanted[chosen].view(np.uint32))
    codes = category_codes(HOTTER_PLANT, whole.request, whole.stored)
    np.testing.assert_array_equal(found.codes, codes[chosen] if codes.size else np.empty((len(chosen), 0)))
    taken = {
        each.feature for column in HOTTER_PLANT.columns if column.function for each in column.inputs if each.feature
    }
    assert taken
    for feature in taken:
        values = whole.stored[feature.group.part_name][:, feature.index]
        np.testing.assert_array_equal(
            found.sampled[feature.group.part_name][:, feature.index], values[chosen[::5]], strict=True
        )


def test_what_a_function_gives_is_rounded_once_and_may_be_one_value_for_all_rows() -> None:
    whole = np.array([(1 << 60) + (1 << 36) + 1])  # as a float64 it lies half-way between two of float32
    found = matrix_columns._doubles(whole, 1).astype(np.float32)
    assert found == whole.astype(np.float32) != whole.astype(np.float64).astype(np.float32)
    assert matrix_columns._doubles(True, 3).tolist() == [1.0, 1.0, 1.0]
    assert matrix_columns._doubles(np.arange(6.0)[::2], 3).flags.c_contiguous
