"""How much longer than some walks another one may be: nothing ends a walk, so it is known before one begins."""

from __future__ import annotations

import numpy as np

from shared_features.trees.flat_trees import FlatTrees, Integers, Matrix, to_keys
from shared_features.trees.small_trees import splits_by_level


def times_longer(trees: FlatTrees, rows: Matrix) -> float:
    """How many times the steps of the shortest walk of these rows any row takes at most.

    Every tree counts as the deepest one does: those that are walked together wait for one another.
    """
    levels = sum(1 for _ in splits_by_level(trees.roots.astype(np.int64), trees.children.astype(np.int64)))
    return float(len(trees.roots) * (levels + 1) / steps(trees, rows).min())


def steps(trees: FlatTrees, rows: Matrix) -> Integers:
    """int64[n]: how many places each row meets in all trees, with the leaves."""
    values = rows[:, trees.columns]
    keys = np.where(np.isnan(values), trees.missing, to_keys(values))
    each, places = np.arange(len(rows))[:, None], np.tile(trees.roots.astype(np.int64), (len(rows), 1))
    found = np.full(len(rows), len(trees.roots))
    while True:
        second = keys[each, trees.rows[places]] > trees.thresholds[places]
        following = trees.children[places].astype(np.int64) + second
        moved = following != places
        if not moved.any():
            return found
        found += moved.sum(axis=1)
        places = following
