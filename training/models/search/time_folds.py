"""Folds of the train window in time: each part is scored by a model of all rows before it, as a served model is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.errors import DatasetError


@dataclass(frozen=True)
class TimeFold:
    """earlier, later: int64, places of rows. from_us: the instant that lies between them."""

    earlier: NDArray[np.int64]
    later: NDArray[np.int64]
    from_us: int


def time_folds(event_time_us: NDArray[np.int64], label: NDArray[np.float64], task: str, count: int) -> list[TimeFold]:
    """The window in `count` + 1 parts of as many rows each; the first is only learned from.

    Rows of one instant stay together. A fold in which a side lacks a class of the window is left out. Raises
    DatasetError where none remains.
    """
    order = np.sort(event_time_us)
    ends = [int(order[len(order) * part // (count + 1)]) for part in range(1, count + 1)]
    folds = []
    for from_us, to_us in zip(ends, [*ends[1:], int(order[-1]) + 1], strict=True):
        earlier, later = (np.flatnonzero(each) for each in
                          (event_time_us < from_us, (event_time_us >= from_us) & (event_time_us < to_us)))  # fmt: skip
        if _can_tell(label, earlier, later, task):
            folds.append(TimeFold(earlier, later, from_us))
    if not folds:
        raise DatasetError(
            f"A search needs folds of the train window, and none of {count} can tell: a part of the window has no row, "
            "or not every class. Give a larger --train-days, or fewer folds."
        )
    return folds


def _can_tell(label: NDArray[np.float64], earlier: NDArray[np.int64], later: NDArray[np.int64], task: str) -> bool:
    if not len(earlier) or not len(later):
        return False
    classes = np.unique(label)
    return task == "regression" or all(np.array_equal(np.unique(label[rows]), classes) for rows in (earlier, later))
