"""Trees with at most 32 leaves, as the leaves that each split strikes out: QuickScorer (Lucchese et al., SIGIR 2015).

A row reaches the first leaf that no split strikes out. So every split can be asked, whether a row gets there or not:
of many rows in one instruction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared_features.trees.tree_loops import BLOCK

Integers = NDArray[np.int64]
Keys = NDArray[np.int32]
Places = NDArray[np.uint32]
Matrix = NDArray[np.float32]
_MOST_LEAVES = 32
"""Trees with 64, whose masks are twice as wide, take longer than a walk."""


@dataclass(frozen=True)
class SmallTrees:
    """offsets, thresholds, masks: of each split, tree after tree, where its keys begin, the highest key that goes to
    the first child, and the bits of the leaves that are left of a row that does not; behind them a mask with all.

    splits, leaves: of each tree, where its own begin; splits has an end. bounds, targets, weights: those of leaf i
    begin at `bounds[i]` and end at `bounds[i + 1]`.
    """

    offsets: Places
    thresholds: Keys
    masks: Places
    splits: Integers
    leaves: Integers
    bounds: Integers
    targets: Integers
    weights: Matrix


def small_trees(
    roots: Places,
    children: Places,
    rows: Integers,
    thresholds: Keys,
    bounds: Integers,
    targets: Integers,
    weights: Matrix,
) -> SmallTrees | None:
    """Of trees as `FlatTrees` has them. None where one has more leaves, or where two splits lead to one place, as those
    of "equal to" do.
    """
    first = children.astype(np.int64)
    inner = first != np.arange(len(first))
    if len(np.unique(first[inner])) != np.count_nonzero(inner):
        return None
    tree, before, under = _leaves(roots.astype(np.int64), first)
    in_tree = under[roots]
    if in_tree.max() > _MOST_LEAVES:
        return None
    splits, leaves = (some[np.lexsort((before[some], tree[some]))] for some in map(np.flatnonzero, (inner, ~inner)))
    struck = ((np.uint64(1) << under[first[splits]].astype(np.uint64)) - np.uint64(1)) << before[splits].astype(
        np.uint64
    )
    counts = np.diff(bounds)[leaves]
    ends = np.cumsum(counts)
    at = np.repeat(bounds[leaves] - (ends - counts), counts) + np.arange(ends[-1])
    return SmallTrees(
        offsets=(rows[splits] * BLOCK).astype(np.uint32),
        thresholds=thresholds[splits],
        masks=np.append(~struck, ~np.uint64(0)).astype(np.uint32),
        splits=np.append(0, np.cumsum(in_tree - 1)),
        leaves=np.cumsum(in_tree) - in_tree,
        bounds=np.append(0, ends),
        targets=targets[at],
        weights=weights[at],
    )


def _leaves(roots: Integers, children: Integers) -> tuple[Integers, Integers, Integers]:
    """Of each place: its tree, how many leaves of that stand before its own, and how many are under it."""
    levels = list(splits_by_level(roots, children))
    tree, before, under = np.zeros((3, len(children)), np.int64)
    under[:] = 1
    for some in reversed(levels):
        under[some] = under[children[some]] + under[children[some] + 1]
    tree[roots] = np.arange(len(roots))
    for some in levels:
        first = children[some]
        before[first], before[first + 1] = before[some], before[some] + under[first]
        tree[first] = tree[first + 1] = tree[some]
    return tree, before, under


def splits_by_level(roots: Integers, children: Integers) -> Iterator[Integers]:
    """The places of all splits, those of a level together. A place that two splits lead to comes once."""
    at = roots
    while len(at := at[children[at] != at]):
        yield at
        at = np.unique(np.concatenate([children[at], children[at] + 1]))
