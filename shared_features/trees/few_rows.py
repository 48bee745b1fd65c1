"""The walk of the few rows of a request: trees in less memory than `FlatTrees` has, and one compiled call."""

from __future__ import annotations

import numpy as np

from shared_features.trees.few_rows_loops import CHILD_BITS, KEY_BITS, LANES, answer_few
from shared_features.trees.flat_trees import ABOVE, FlatTrees, Matrix


class FewRows:
    """Answers of up to some dozen rows, with the bits of ONNX Runtime. Any number of threads may ask at once."""

    def __init__(self, trees: FlatTrees, base: Matrix, divisor: np.float32, kind: int) -> None:
        """base: float32[targets]. kind: of `answer_loops`. Raises OverflowError where the trees are too large."""
        if len(trees.children) > 1 << CHILD_BITS or len(trees.columns) >= 1 << KEY_BITS:
            raise OverflowError("the trees have more places or columns than words have numbers for")
        self._columns = np.column_stack([trees.columns, trees.missing]).astype(np.int32)
        self._places, self._leaves, self._weights = _places(trees), _leaves(trees), trees.weights
        self._tops = self._places.view(np.float32).reshape(-1, 2)
        self._trees, self._base, self._divisor, self._kind = len(trees.roots), base, divisor, kind

    def put(self, rows: Matrix, found: Matrix) -> None:
        """rows: float32[n, features], contiguous, with every column that the trees read. See `answer_few`."""
        count = len(rows)
        answer_few(
            rows.view(np.int32), self._columns, self._places, self._tops, self._trees, self._leaves, self._weights,
            self._base, self._divisor, self._kind, np.empty((2, LANES), np.uint64),
            np.empty(count * (len(self._columns) + 1), np.int32), np.empty((count, len(self._base)), np.float32), found,
        )  # fmt: skip


def _places(trees: FlatTrees) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Of each place its word: see `few_rows_loops`."""
    leaf, first = trees.thresholds == ABOVE, trees.bounds[:-1]
    tops = trees.thresholds.copy()
    tops[leaf] = trees.weights.view(np.int32)[first[leaf]] if len(trees.sure) == 1 else first[leaf]
    words = tops.view(np.uint32).astype(np.uint64) << np.uint64(KEY_BITS + CHILD_BITS)
    words |= trees.children.astype(np.uint64) << np.uint64(KEY_BITS)
    return words | np.where(leaf, len(trees.columns), trees.rows).astype(np.uint64)


def _leaves(trees: FlatTrees) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    """Of each weight its target, and how many follow it for the same leaf."""
    counts = np.diff(trees.bounds)
    ends = np.repeat(trees.bounds[1:], counts)
    return np.column_stack([trees.targets, ends - 1 - np.arange(len(ends))]).astype(np.int32)
