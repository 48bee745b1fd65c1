"""The trees of a model that is trees alone, and what is read of their answer: the scores, values or probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shared_features.trees.flat_trees import Matrix
from shared_features.trees.same_bits import same_bits
from shared_features.trees.tree_ensemble import FEW, TreeEnsemble
from shared_features.trees.trial_rows import rows_at_splits

_LEAST_SPLITS, _MOST_SPLITS = 50, 20_000


@dataclass(frozen=True)
class ModelTrees:
    """column: what the model gives, of what the ensemble answers for a row; None: all of it."""

    ensemble: TreeEnsemble
    column: int | None

    def run(self, rows: Matrix) -> Matrix:
        """float32[n], or [n, answers], of float32[n, features]."""
        found = self.ensemble.run(rows)
        return found if self.column is None else found[:, self.column]

    def has_the_bits_of(self, whole: Callable[[Matrix], Matrix], features: int, walks: int) -> bool:
        """Whether they give what the graph gives, `whole`: on both sides of splits, for missing values and infinities.

        Rows are walked together, and 1 to 16 at a time. walks: of a row through a tree; it bounds how many splits are
        tried. Raises ManifestMismatchError where they read another column than the features have.
        """
        trees, random = self.ensemble.trees, np.random.default_rng(0)
        most = min(max(walks // (4 * len(trees.roots)), _LEAST_SPLITS), _MOST_SPLITS)
        for rows in rows_at_splits(trees, random, most, features):
            theirs = whole(rows)
            if not same_bits(self.run(rows), theirs) or not same_bits(self._run_few(rows), theirs):
                return False
        return True

    def _run_few(self, rows: Matrix) -> Matrix:
        sizes = np.resize(np.arange(1, FEW + 1), len(rows)).cumsum()
        return np.concatenate([self.run(each) for each in np.split(rows, sizes[sizes < len(rows)])])
