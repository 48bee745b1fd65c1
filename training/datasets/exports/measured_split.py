"""The windows of an exported dataset that was divided, as a run of the same windows has them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureView
from shared_features.formats.dataset_manifest import DatasetManifest, TimeSplit
from shared_features.kernel.event_time import DAY_US, floor_to, to_us
from training.datasets.exports.division import fold_edges
from training.datasets.time_split import TEST


def measured_split(
    told: DatasetManifest, view: FeatureView, as_of_us: NDArray[np.int64], window: NDArray[np.int8]
) -> TimeSplit:
    """From when on test days are counted, and how long before one a positive event lies that is known on it.

    as_of_us, window: of all rows, labelled or not. Of several folds, those of the last one. Rows that are not divided
    by time have days of UTC and the label delay of the view: the days from their first test row on. The rows to learn
    from may then lie among those of the test, and the length of the train window says nothing: it may be negative.

    The span of all rows stays, because it says which events are kept for the dataset.
    """
    division, test = told.division, as_of_us[window == TEST]
    if division is None or not len(test):
        return told.split
    if division.folds:
        test_start_us, gap_us = fold_edges(as_of_us, division)[division.folds], division.gap_us
    else:
        test_start_us, gap_us = floor_to(int(test.min()), DAY_US), to_us(view.label_delay)
    start_us, end_us = told.split.start_us, told.split.end_us
    return TimeSplit(start_us, test_start_us - gap_us - start_us, gap_us, end_us - test_start_us)
