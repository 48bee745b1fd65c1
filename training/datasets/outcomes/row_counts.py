"""How many rows of each window have a label, of which class, and of which source."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shared_features.formats.dataset_manifest import RowCounts, WindowCounts
from training.datasets.label_classes import Classes
from training.datasets.outcomes.outcomes import Outcomes
from training.datasets.outcomes.view_labels import ViewLabels
from training.datasets.time_split import GAP, TEST, TRAIN


def count_rows(
    labels: ViewLabels,
    outcomes: Outcomes,
    label: NDArray[np.float64],
    window: NDArray[np.int8],
    classes: Classes,
    copies: int,
) -> RowCounts:
    """label: float64[n], what the dataset has of the outcome of each row; NaN where nothing."""
    is_binary_or_number = labels.sources[0].kind != "multiclass"

    def count(code: int) -> WindowCounts:
        inside = window == code
        there = inside & ~np.isnan(label)
        found = label[there]
        return WindowCounts(
            len(found),
            int((found > 0).sum()) if is_binary_or_number else 0,
            int(inside.sum()) - len(found),
            tuple(np.bincount(found.astype(np.int64), minlength=len(classes)).tolist()) if classes else (),
            int((~outcomes.sent & there).sum()),
            labels.by_source(outcomes.source[there]),
        )

    return RowCounts(copies, count(TRAIN), count(GAP), count(TEST))


def count_all(labels: ViewLabels, outcomes: Outcomes) -> WindowCounts:
    """Of rows without windows, whose labels stand as they are."""
    known = outcomes.known
    without = int((~outcomes.sent & known).sum())
    return WindowCounts(
        int(known.sum()), 0, int((~known).sum()), without_label=without, by_source=labels.by_source(outcomes.source)
    )
