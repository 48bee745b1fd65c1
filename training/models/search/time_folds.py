"""Folds of the train window in time: each part is scored by a model of earlier rows, as a served model is.

Before each part lies the gap that lies before the test window: labels of its rows were not known when the part began.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from shared_features.kernel.event_time import spelled_duration
from training.errors import DatasetError


@dataclass(frozen=True)
class TimeFold:
    """earlier, later: int64, places of rows. from_us: the instant at which the later ones begin."""

    earlier: NDArray[np.int64]
    later: NDArray[np.int64]
    from_us: int


def time_folds(
    event_time_us: NDArray[np.int64], label: NDArray[np.float64], task: str, count: int, gap_us: int = 0
) -> list[TimeFold]:
    """The window in `count` + 1 parts of as many rows each; the first is only learned from.

    gap_us: rows that lie less than this before a part are in neither side of its fold. Rows of one instant stay
    together. A fold in which a side lacks a class of the window is left out. Raises DatasetError where none remains.
    """
    order = np.sort(event_time_us)
    ends = [int(order[len(order) * part // (count + 1)]) for part in range(1, count + 1)]
    folds = []
    for from_us, to_us in zip(ends, [*ends[1:], int(order[-1]) + 1], strict=True):
        earlier = np.flatnonzero(event_time_us < from_us - gap_us)
        later = np.flatnonzero((event_time_us >= from_us) & (event_time_us < to_us))
        if _can_tell(label, earlier, later, task):
            folds.append(TimeFold(earlier, later, from_us))
    if not folds:
        before = f", {spelled_duration(timedelta(microseconds=gap_us))} before the next part begins" if gap_us else ""
        raise DatasetError(
            f"A search needs folds of the train window, and none of {count} can tell: a part of the window has no row, "
            f"or not every class{before}. Give a larger --train-days, or fewer folds."
        )
    return folds


def _can_tell(label: NDArray[np.float64], earlier: NDArray[np.int64], later: NDArray[np.int64], task: str) -> bool:
    if not len(earlier) or not len(later):
        return False
    classes = np.unique(label)
    return task == "regression" or all(np.array_equal(np.unique(label[rows]), classes) for rows in (earlier, later))
