"""What the events of a key come to in the time after each row: the sum of their values, exact."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import LaterEvents
from training.datasets.outcomes.key_times import KeyTimes
from training.datasets.rows.sorted_numbers import Places

_COMPARED: dict[str, Callable[[NDArray[np.float64], float], NDArray[np.bool_]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


class Happened(NamedTuple):
    """Events in any order. key: int64[n], whose each is. value: int64[n]."""

    key: Places
    time_us: NDArray[np.int64]
    value: NDArray[np.int64]


def later_sums(events: Happened, key: Places, time_us: NDArray[np.int64], within_us: int) -> NDArray[np.int64]:
    """int64[rows]: the values of the events of a row's key with `time < theirs <= time + within`; 0 of none.

    The sum over all keys may wrap, and a difference of two does not.
    """
    times = KeyTimes(events.key, events.time_us)
    sums = np.concatenate([[0], np.cumsum(events.value[times.order])])
    found: NDArray[np.int64] = sums[times.up_to(key, time_us + within_us)] - sums[times.up_to(key, time_us)]
    return found


def later_outcomes(later: LaterEvents, sums: NDArray[np.int64], scale: int) -> NDArray[np.float64]:
    """float64[rows]: the label of each sum: the number in units, or 1.0 where it meets the comparison and 0.0."""
    value = sums / scale
    return value if later.operator is None else _COMPARED[later.operator](value, later.threshold).astype(np.float64)
