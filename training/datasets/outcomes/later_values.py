"""What the events of a key come to in the time after each row: counted, summed, their mean, their extremes. Exact."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared_features import Max, Mean, Min
from shared_features.definitions import LaterEvents
from shared_features.definitions.sources.condition import COMPARED
from training.datasets.outcomes.key_times import KeyTimes
from training.datasets.rows.sorted_numbers import Places


class Happened(NamedTuple):
    """Events in any order. key: int64[n], whose each is. value: int64[n], in steps; 1 where events are counted."""

    key: Places
    time_us: NDArray[np.int64]
    value: NDArray[np.int64]


class LaterValues:
    """Of the events of each row's key with `time < theirs <= time + within`."""

    def __init__(self, events: Happened, key: Places, time_us: NDArray[np.int64], within_us: int) -> None:
        times = KeyTimes(events.key, events.time_us)
        self._values = events.value[times.order]
        self._first, self._end = times.up_to(key, time_us), times.up_to(key, time_us + within_us)

    @property
    def counts(self) -> NDArray[np.int64]:
        """int64[rows]."""
        return self._end - self._first

    @property
    def sums(self) -> NDArray[np.int64]:
        """int64[rows]; 0 of none. The sum over all keys may wrap, and a difference of two does not."""
        upto = np.concatenate([np.zeros(1, np.int64), np.cumsum(self._values)])
        found: NDArray[np.int64] = upto[self._end] - upto[self._first]
        return found

    def extremes(self, of: np.ufunc) -> NDArray[np.int64]:
        """int64[rows]: np.minimum or np.maximum of them; 0 of none."""
        some = self.counts > 0
        found = np.zeros(len(some), np.int64)
        spans = np.stack([self._first[some], self._end[some]], axis=1).reshape(-1)
        if len(spans):
            found[some] = of.reduceat(np.append(self._values, 0), spans)[::2]
        return found


def later_outcomes(later: LaterEvents, values: LaterValues, scale: int) -> NDArray[np.float64]:
    """float64[rows]: the number in units, or 1.0 where it meets the comparison and 0.0; NaN where it has no value."""
    found = _steps(later, values) / scale
    if later.operator is not None:
        found = COMPARED[later.operator](found, later.threshold).astype(np.float64)
    return found if later.is_of_none else np.where(values.counts > 0, found, np.nan)


def _steps(later: LaterEvents, values: LaterValues) -> NDArray[np.float64]:
    match later.aggregation:
        case Mean():
            return values.sums / np.maximum(values.counts, 1)
        case Min():
            return values.extremes(np.minimum).astype(np.float64)
        case Max():
            return values.extremes(np.maximum).astype(np.float64)
        case _:
            return values.sums.astype(np.float64)
