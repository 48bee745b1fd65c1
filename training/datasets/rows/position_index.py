"""Positions in order, and where the rows of other tables are among them: a join without a hash table."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.datasets.rows.sorted_numbers import Places, SortedNumbers


class Lines(NamedTuple):
    """of: int64[n], the row of a table that each position is at; -1: none, and of several the last.

    missing: of how many positions the table has no row. twice: how many rows have the position of another row. others:
    how many rows have a position that we have not.
    """

    of: Places
    missing: int
    twice: int
    others: int


class PositionIndex:
    """`n` positions, sorted by partition and offset. order: int64[n], the given rows in this order."""

    def __init__(self, partition: NDArray[np.int32], offset: NDArray[np.int64]) -> None:
        self._offsets: dict[int, tuple[int, SortedNumbers]] = {}
        orders, first = [np.empty(0, np.int64)], 0
        for number in np.flatnonzero(np.bincount(partition)).tolist():  # few, and small: no need to sort them
            rows = np.flatnonzero(partition == number)
            offsets = SortedNumbers(offset[rows])
            self._offsets[number] = first, offsets
            orders.append(rows[offsets.order])
            first += len(rows)
        self.order: Places = np.concatenate(orders)

    def __len__(self) -> int:
        return len(self.order)

    @property
    def is_distinct(self) -> bool:
        """Whether no position is there twice."""
        return all(offsets.is_distinct for _, offsets in self._offsets.values())

    def find(self, partition: NDArray[np.int32], offset: NDArray[np.int64]) -> Places:
        """int64[m]: the place of each of other positions among these; -1 of one that is not among them."""
        found = np.full(len(offset), -1)
        for number, (first, offsets) in self._offsets.items():
            rows = np.flatnonzero(partition == number)
            found[rows] = offsets.find(offset[rows], first)
        return found

    def lines(self, partition: NDArray[np.int32], offset: NDArray[np.int64]) -> Lines:
        """At which row of a table with these positions each of ours is."""
        found, lines = self.find(partition, offset), np.full(len(self), -1)
        rows = np.arange(len(found)) if not len(found) or found.min() >= 0 else np.flatnonzero(found >= 0)
        lines[found if len(rows) == len(found) else found[rows]] = rows
        there = int(np.count_nonzero(lines >= 0))
        return Lines(lines, len(self) - there, len(rows) - there, len(found) - len(rows))
