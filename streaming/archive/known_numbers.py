"""A set of whole numbers that mostly follow each other, as a few ranges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]


class KnownNumbers:
    """Takes memory by its holes, not by its numbers."""

    def __init__(self, numbers: Int64) -> None:
        nothing = np.empty(0, np.int64)
        self._firsts, self._lasts = _merged(nothing, nothing, numbers)

    def has(self, numbers: Int64) -> NDArray[np.bool_]:
        """bool[n]: which of them are known.

        >>> KnownNumbers(np.array([0, 1, 2, 7])).has(np.array([2, 3, 7])).tolist()
        [True, False, True]
        """
        if not len(self._firsts):
            return np.zeros(len(numbers), np.bool_)
        at = np.searchsorted(self._firsts, numbers, side="right") - 1
        known: NDArray[np.bool_] = (at >= 0) & (numbers <= self._lasts[at])
        return known

    def add(self, numbers: Int64) -> None:
        """They are known from now on."""
        self._firsts, self._lasts = _merged(self._firsts, self._lasts, numbers)

    def __len__(self) -> int:
        """How many ranges are kept."""
        return len(self._firsts)


def _merged(firsts: Int64, lasts: Int64, numbers: Int64) -> tuple[Int64, Int64]:
    """The ranges of both, ascending, none of which touches the next."""
    firsts, lasts = np.concatenate([firsts, numbers]), np.concatenate([lasts, numbers])
    if not len(firsts):
        return firsts, lasts
    order = np.argsort(firsts, kind="stable")
    firsts, lasts = firsts[order], np.maximum.accumulate(lasts[order])
    begins = np.concatenate([[True], firsts[1:] > lasts[:-1] + 1])
    ends = np.concatenate([begins[1:], [True]])
    return firsts[begins], lasts[ends]
