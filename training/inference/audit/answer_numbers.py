"""The numbers of answers that were seen, by process, as ranges: a million in a row take as much room as one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shared_features.formats.prediction_log import Hole

Int64 = NDArray[np.int64]


class NumberRanges:
    """Whole numbers, as ranges of which none touches the next."""

    def __init__(self) -> None:
        self._first, self._last = np.empty(0, np.int64), np.empty(0, np.int64)

    def add(self, numbers: Int64) -> NDArray[np.bool_]:
        """numbers: sorted, each once. Returns which are new."""
        at = np.searchsorted(self._first, numbers, side="right") - 1
        new = np.ones(len(numbers), np.bool_)
        new[at >= 0] = numbers[at >= 0] > self._last[at[at >= 0]]
        self._take(numbers[new], numbers[new])
        return new

    def merge(self, other: NumberRanges, most: int) -> None:
        """Add the numbers of another from 0 to `most`."""
        inside = (other._first <= most) & (other._last >= 0)
        self._take(np.maximum(other._first[inside], 0), np.minimum(other._last[inside], most))

    @property
    def highest(self) -> int:
        """-1 where there is none."""
        return int(self._last.max(initial=-1))

    @property
    def holes(self) -> list[Hole]:
        """The numbers below the highest that it lacks, from 0 on."""
        before = np.append(-1, self._last)[: len(self._first)]
        pairs = zip(before.tolist(), self._first.tolist(), strict=True)
        return [(low + 1, high - 1) for low, high in pairs if high - low > 1]

    def _take(self, first: Int64, last: Int64) -> None:
        first, last = np.append(self._first, first), np.append(self._last, last)
        order = np.argsort(first)
        first, last = first[order], np.maximum.accumulate(last[order])
        begins = np.append(True, first[1:] > last[:-1] + 1)[: len(first)]
        ends = np.append(begins[1:], True)[: len(last)]
        self._first, self._last = first[begins], last[ends]


class AnswerNumbers:
    """Of all processes."""

    def __init__(self) -> None:
        self._of: dict[str, NumberRanges] = {}

    def add(self, process: str, numbers: Int64) -> NDArray[np.bool_]:
        """Returns which of the numbers came for the first time."""
        each, where = np.unique(numbers, return_index=True)
        came_first = np.zeros(len(numbers), np.bool_)
        came_first[where] = self._of.setdefault(process, NumberRanges()).add(each)
        return came_first

    @property
    def highest(self) -> dict[str, int]:
        """By process the highest number."""
        return {process: own.highest for process, own in self._of.items()}

    def missing(self, doubtful: AnswerNumbers, is_cut: bool = False) -> dict[str, list[Hole]]:
        """By process the numbers that it lacks. doubtful: numbers that fill a hole, and make none.

        is_cut: the first numbers of a process may have been deleted.
        """
        found = {}
        for process, own in self._of.items():
            seen = NumberRanges()
            seen.merge(own, own.highest)
            if process in doubtful._of:
                seen.merge(doubtful._of[process], own.highest)
            found[process] = [hole for hole in seen.holes if hole[0] or not is_cut]
        return {process: holes for process, holes in found.items() if holes}
