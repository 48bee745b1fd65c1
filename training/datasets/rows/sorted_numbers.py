"""Numbers that lie nearly in order, such as offsets and ids: sorted and looked up without a hash table."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]
_FEW = 1 << 31


def small(places: NDArray[np.integer]) -> NDArray[np.integer]:
    """In half of the memory, as int32, where all of them fit."""
    return places.astype(np.int32 if places.max(initial=0) < _FEW else np.int64)


class SortedNumbers:
    """`n` numbers. order: int64[n], the place of each in what was given, the smallest first."""

    def __init__(self, numbers: NDArray[np.int64]) -> None:
        self.order: Places = np.argsort(numbers, kind="stable")
        self._sorted = numbers[self.order]

    def __len__(self) -> int:
        return len(self.order)

    @cached_property
    def is_distinct(self) -> bool:
        """Whether no number is there twice."""
        return bool((self._sorted[1:] > self._sorted[:-1]).all())

    def find(self, wanted: NDArray[np.int64], first: int = 0) -> Places:
        """int64[m]: the place of each in the sorted numbers, counted from `first`; -1 of one that is not among them."""
        if not len(self):
            return np.full(len(wanted), -1)
        smallest, largest = int(self._sorted[0]), int(self._sorted[-1])
        if largest - smallest == len(self) - 1 and self.is_distinct:  # none is missing in between: no search
            places = wanted - (smallest - first)
            there = (wanted >= smallest) & (wanted <= largest)
        else:
            places = np.minimum(np.searchsorted(self._sorted, wanted), len(self) - 1)
            there = self._sorted[places] == wanted
            if first:
                places += first
        return places if there.all() else np.where(there, places, -1)
