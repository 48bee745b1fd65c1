"""What the events of a key come to in the time after each row: the sum of their values, exact."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import LaterEvents
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
    """int64[rows]: the values of the events of a row's key with `time < theirs <= time + within`; 0 of none."""
    return _sums_up_to(events, key, time_us + within_us) - _sums_up_to(events, key, time_us)


def later_outcomes(later: LaterEvents, sums: NDArray[np.int64], scale: int) -> NDArray[np.float64]:
    """float64[rows]: the label of each sum: the number in units, or 1.0 where it meets the comparison and 0.0."""
    value = sums / scale
    return value if later.operator is None else _COMPARED[later.operator](value, later.threshold).astype(np.float64)


def _sums_up_to(events: Happened, key: Places, time_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of all events of earlier keys, and of the row's key up to its instant. It may wrap, and a difference does not."""
    count = len(events.key)
    asks = np.repeat([False, True], [count, len(key)])
    order = np.lexsort((asks, np.concatenate([events.time_us, time_us]), np.concatenate([events.key, key])))
    sums = np.cumsum(np.concatenate([events.value, np.zeros(len(key), np.int64)])[order])
    found = np.empty(len(order), np.int64)
    found[order] = sums
    return found[count:]
