"""Trees in flat arrays, whose every split asks whether a key is at most another.

A key is a whole number in the order of the float32 values. NaN has no place in that order: its key is above or below
all others, whichever leads it the way that a split sends missing values.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.errors import ManifestMismatchError
from shared_features.trees import tree_loops
from shared_features.trees.small_trees import SmallTrees, small_trees
from shared_features.trees.tree_loops import BLOCK, GROUP

_LOOPS: Any = tree_loops
ABOVE, BELOW = np.iinfo(np.int32).max, np.iinfo(np.int32).min
Integers = NDArray[np.int64]
Keys = NDArray[np.int32]
Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class FlatTrees:
    """Each node has a place. The second child of a place lies behind its first, and a leaf is its own first child.

    columns, missing: of each row of keys, the feature it holds, and the key of a missing value: `ABOVE` or `BELOW`.
    rows, thresholds, children: of each place the row of keys, the highest key that goes to the first child, and that
    child. roots: the place of each tree's root. bounds, targets, weights: those of place i begin at `bounds[i]` and end
    at `bounds[i + 1]`. sure: of each target, whether every row gets a weight of it.
    """

    columns: Integers
    missing: Keys
    rows: Integers
    thresholds: Keys
    children: NDArray[np.uint32]
    roots: NDArray[np.uint32]
    bounds: Integers
    targets: Integers
    weights: Matrix
    sure: NDArray[np.bool_]

    def check(self, rows: Matrix) -> None:
        """Raise ManifestMismatchError where the trees read a column that the rows lack."""
        if rows.shape[1] <= self.most:
            raise ManifestMismatchError(f"its trees read column {self.most}, and are given {rows.shape[1]}")

    @cached_property
    def most(self) -> int:
        """The last column that they read."""
        return int(self.columns.max())

    def sums(self, rows: Matrix) -> Matrix:
        """float32[n, targets] of float32[n, features]: the weights of a row's leaves, added tree after tree.

        Without the GIL. Raises as `check` does.
        """
        self.check(rows)
        sums = np.zeros((len(rows), len(self.sure)), np.float32)
        if len(rows):
            given = np.ascontiguousarray(rows).view(np.int32), self.columns, self.missing
            keys = np.empty(len(self.columns) * BLOCK, np.int32)
            if self._small is None:
                self._walk(given, sums, keys)
            else:
                self._strike_out(self._small, given, sums, keys)
        return sums

    @cached_property
    def _small(self) -> SmallTrees | None:
        weights = self.bounds, self.targets, self.weights
        return small_trees(self.roots, self.children, self.rows, self.thresholds, *weights)

    @cached_property
    def _offsets(self) -> NDArray[np.uint32]:
        """Of each place, where its keys begin."""
        return (self.rows * BLOCK).astype(np.uint32)

    def _walk(self, given: tuple[Any, ...], sums: Matrix, keys: Keys) -> None:
        trees = self._offsets, self.thresholds, self.children, self.roots, self.bounds, self.targets, self.weights
        _LOOPS.add_leaves(*given, *trees, sums, keys, np.empty(GROUP, np.uint32))

    def _strike_out(self, small: SmallTrees, given: tuple[Any, ...], sums: Matrix, keys: Keys) -> None:
        splits = small.offsets, small.thresholds, small.masks, small.splits
        leaves = small.leaves, small.bounds, small.targets, small.weights
        left = np.empty(BLOCK, np.uint32)
        _LOOPS.add_reached_leaves(*given, *splits, *leaves, sums.shape[1], sums.ravel(), keys, left)


def to_keys(values: Matrix) -> Keys:
    """The keys of values that are not NaN; both zeros are 0."""
    bits = np.ascontiguousarray(values, np.float32).view(np.int32)
    found: Keys = np.where(bits >= 0, bits, -(bits & np.int32(ABOVE)))
    return found


def to_values(keys: Keys) -> Matrix:
    """The values of keys; NaN for those beyond infinity."""
    infinity = np.float32(np.inf).view(np.int32)
    size = np.abs(np.clip(keys, -infinity - 1, infinity + 1))  # a key beyond infinity is a NaN
    bits = np.where(keys >= 0, size, size | np.int32(BELOW))
    return np.ascontiguousarray(bits).view(np.float32)
