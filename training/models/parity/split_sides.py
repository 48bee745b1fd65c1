"""Rows on both sides of the splits of trees, found by halving, whatever the graph computes before its trees.

A threshold is in the unit of what the trees are given, which a scaler or an encoder may have changed. Between two
values of a feature, one on each side of a threshold, there are two float32 values side by side that lie on each side.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.models.graph.tree_splits import TreeSplits

Matrix = NDArray[np.float32]
_PROBES = 20
_SIGN = np.int64(-(2**31))
_ENDS = np.array([np.finfo(np.float32).min, np.finfo(np.float32).max], np.float32)


def split_sides(
    splits: TreeSplits, test_rows: Matrix, numbers: NDArray[np.int64], random: np.random.Generator, count: int
) -> Matrix:
    """For `count` splits four rows: the last value before the split, the first behind it, and their neighbours.

    Where there are fewer splits, each is tried from several rows. A threshold that no value reaches has no rows.
    numbers: the features that are numbers. A category's values are tried one by one elsewhere.
    """
    reached = _reached(splits, test_rows, numbers, random)
    chosen = np.flatnonzero(reached[:, splits.columns].any(axis=0))
    if not len(chosen):
        return test_rows[:0]
    chosen = np.sort(np.resize(random.permutation(chosen), count))
    columns = numbers[_any_place(reached[:, splits.columns[chosen]], random)]
    bases = np.array(test_rows[random.integers(0, len(test_rows), len(chosen))])

    def before(values: NDArray[np.int64]) -> NDArray[np.bool_]:
        given = splits.given(_with(bases, columns, _floats(values)))
        side: NDArray[np.bool_] = given[np.arange(len(given)), splits.columns[chosen]] <= splits.thresholds[chosen]
        return side

    low, high = (np.repeat(_numbers(_ENDS[at : at + 1]), len(chosen)) for at in (0, 1))
    first = before(low)
    differs = first != before(high)
    while (high - low > 1).any():
        middle = (low + high) // 2
        same = before(middle) == first
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    bases, columns, low, high = (each[differs] for each in (bases, columns, low, high))
    return np.concatenate([_with(bases, columns, _floats(each)) for each in (low - 1, low, high, high + 1)])


def _reached(
    splits: TreeSplits, test_rows: Matrix, numbers: NDArray[np.int64], random: np.random.Generator
) -> NDArray[np.bool_]:
    """bool[numbers, columns that trees are given]: whether a change of the feature changes the column."""
    bases = np.array(test_rows[random.integers(0, len(test_rows), _PROBES)])
    usual = splits.given(bases)
    found = np.zeros((len(numbers), usual.shape[1]), np.bool_)
    for place, column in enumerate(numbers):
        changed = np.tile(bases, (2, 1))
        changed[:, column] = np.repeat(_ENDS, _PROBES)
        given, there = splits.given(changed), np.tile(usual, (2, 1))
        found[place] = ((given != there) & ~(np.isnan(given) & np.isnan(there))).any(axis=0)
    return found


def _any_place(true: NDArray[np.bool_], random: np.random.Generator) -> NDArray[np.int64]:
    """Of each column, the place of one of its true values."""
    places = np.argsort(~true, axis=0, kind="stable")
    found: NDArray[np.int64] = places[random.integers(0, true.sum(axis=0)), np.arange(true.shape[1])]
    return found


def _with(bases: Matrix, columns: NDArray[np.int64], values: NDArray[np.float32]) -> Matrix:
    found = bases.copy()
    found[np.arange(len(bases)), columns] = values
    return found


def _numbers(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """Whole numbers in the order of the floats: neighbours are one apart."""
    bits = np.ascontiguousarray(values, np.float32).view(np.int32).astype(np.int64)
    found: NDArray[np.int64] = np.where(bits < 0, _SIGN - bits, bits)
    return found


def _floats(numbers: NDArray[np.int64]) -> NDArray[np.float32]:
    bits = np.where(numbers < 0, _SIGN - numbers, numbers)
    return bits.astype(np.int32).view(np.float32)
