"""Events of keys in order of time: how many of them lie before an instant of a key."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.datasets.rows.sorted_numbers import Places


class KeyTimes:
    """`n` events, each of a key. order: int64[n], their places by key and time; equal ones as they were given."""

    def __init__(self, key: Places, time_us: NDArray[np.int64]) -> None:
        self._key, self._time_us = key, time_us
        self.order: Places = np.lexsort((time_us, key))

    def __len__(self) -> int:
        return len(self._key)

    def up_to(self, key: Places, time_us: NDArray[np.int64]) -> Places:
        """int64[m]: how many in this order are of an earlier key, or of this key and no later than the instant."""
        asks = np.repeat([False, True], [len(self), len(key)])
        order = np.lexsort((asks, np.concatenate([self._time_us, time_us]), np.concatenate([self._key, key])))
        found = np.empty(len(order), np.int64)
        found[order] = np.cumsum(~asks[order])
        return found[len(self) :]
