"""From the nodes of a tree ensemble, as ONNX writes them, to flat trees.

"Less than t" is "at most the key before that of t"; where a split asks for the opposite, its children change places.
"Equal to t" is two splits: at most t, and of those at most the key before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.trees.flat_trees import ABOVE, BELOW, FlatTrees, Integers, to_keys
from training.errors import GraphNotReadError

_LEAF, _EQUAL = b"LEAF", (b"BRANCH_EQ", b"BRANCH_NEQ")
_BEFORE, _TURNED = (b"BRANCH_LT", b"BRANCH_GTE"), (b"BRANCH_GT", b"BRANCH_GTE")
_KNOWN = (b"BRANCH_LEQ", *_BEFORE, *_TURNED, *_EQUAL, _LEAF)
Given = Mapping[str, Any]
Booleans = NDArray[np.bool_]


def flat_trees(nodes: Given, leaves: Given, width: int) -> FlatTrees:
    """nodes: the attributes `nodes_*` of the operator. leaves: `target_*` or `class_*`; both without their prefix.

    Raises GraphNotReadError.
    """
    found = _Nodes(nodes)
    splits = found.splits()
    slots, children = _places(found.roots, splits, found.count)
    inner = children >= 0
    split_at = np.where(inner, children, 0) // 2
    pairs, rows = np.unique(np.column_stack(splits[:2])[split_at[inner]], axis=0, return_inverse=True)
    if not len(pairs):
        pairs = np.zeros((1, 2), np.int64)
    row_of, thresholds = np.zeros(len(slots), np.int64), np.full(len(slots), ABOVE, np.int32)
    row_of[inner], thresholds[inner] = rows.ravel(), splits[2][split_at[inner]]
    return FlatTrees(
        columns=np.ascontiguousarray(pairs[:, 0]),
        missing=np.where(pairs[:, 1] == 1, BELOW, ABOVE).astype(np.int32),
        rows=row_of,
        thresholds=thresholds,
        children=np.where(inner, len(found.roots) + children, np.arange(len(slots))).astype(np.uint32),
        roots=np.arange(len(found.roots), dtype=np.uint32),
        **_weights(found, leaves, np.where(inner, -1, slots), width),
    )


class _Nodes:
    """The nodes, by their numbers from 0 in the order of the attributes."""

    def __init__(self, nodes: Given) -> None:
        self.tree, self.node = (np.array(nodes[name], np.int64) for name in ("treeids", "nodeids"))
        self.count = len(self.tree)
        self._modes = np.array(nodes["modes"], "S16")
        self._features = np.array(nodes["featureids"], np.int64)
        self._values = np.array(nodes["values"], np.float32)
        self._ways = tuple(np.array(nodes[name], np.int64) for name in ("truenodeids", "falsenodeids"))
        self._tracks = np.array(nodes.get("missing_value_tracks_true") or np.zeros(self.count), np.int64)
        self.leaf = self._modes == _LEAF
        changes = np.flatnonzero(np.diff(self.tree, prepend=self.tree[:1] - 1))
        self.roots: Integers = changes
        self._check()

    def _check(self) -> None:
        arrays: list[NDArray[Any]] = [self.node, self._modes, self._features, self._values, *self._ways, self._tracks]
        sizes = {len(each) for each in arrays}
        if self.count == 0 or sizes != {self.count}:
            raise GraphNotReadError("its trees have no nodes, or not the same number of each attribute")
        if unknown := set(self._modes.tolist()) - set(_KNOWN):
            raise GraphNotReadError(f"its trees have nodes of mode {sorted(unknown)[0].decode()}")
        if len(np.unique(self.tree)) != len(self.roots) or min(self.tree.min(), self.node.min()) < 0:
            raise GraphNotReadError("the nodes of a tree do not stand side by side")
        if np.isnan(self._values[~self.leaf]).any() or (self._features < 0).any():
            raise GraphNotReadError("a split of its trees has no threshold or no feature")
        if not np.isin(self._tracks, (0, 1)).all():
            raise GraphNotReadError("a split of its trees does not say where missing values go")
        self._index = self.tree * (self.node.max() + 1) + self.node
        self._order = np.argsort(self._index)
        if (np.diff(self._index[self._order]) == 0).any():
            raise GraphNotReadError("two nodes of a tree have one number")

    def find(self, tree: Integers, node: Integers) -> Integers:
        """The numbers of nodes that are named by the ids of their trees and their own."""
        wanted = tree * (self.node.max() + 1) + node
        at = np.minimum(np.searchsorted(self._index, wanted, sorter=self._order), self.count - 1)
        found: Integers = self._order[at]
        if (self.tree[found] != tree).any() or (self.node[found] != node).any():
            raise GraphNotReadError("its trees name a node that they do not have")
        return found

    def splits(self) -> tuple[Integers, Integers, Integers, Integers, Integers, Integers]:
        """Of each split: feature, whether missing goes first, key, its own number, and those of its two children.

        What is behind the first part of an "equal to" has a number behind those of the nodes.
        """
        own = np.flatnonzero(~self.leaf)
        modes, true, false = self._modes[own], *(self.find(self.tree[own], each[own]) for each in self._ways)
        met = np.concatenate([true, false, self.roots])
        if len(np.unique(met)) != len(met):
            raise GraphNotReadError("a node of its trees has two parents")
        keys, tracks = to_keys(self._values[own]).astype(np.int64), self._tracks[own] == 1
        before, turned, equal = (np.isin(modes, each) for each in (_BEFORE, _TURNED, _EQUAL))
        second = np.flatnonzero(equal)
        behind = np.full(len(own), -1)
        behind[second] = self.count + np.arange(len(second))
        unequal = modes == b"BRANCH_NEQ"
        same, other = np.where(unequal, false, true), np.where(unequal, true, false)
        first_part = (
            self._features[own],
            np.where(equal, True, tracks ^ turned),
            keys - before,
            own,
            np.where(equal, behind, np.where(turned, false, true)),
            np.where(equal, other, np.where(turned, true, false)),
        )
        second_part = (self._features[own], unequal | ~tracks, keys - 1, behind, other, same)
        found = [np.concatenate([a, b[second]]).astype(np.int64) for a, b in zip(first_part, second_part, strict=True)]
        return found[0], found[1], found[2], found[3], found[4], found[5]


def _places(roots: Integers, splits: tuple[Integers, ...], count: int) -> tuple[Integers, Integers]:
    """Of each place: the number of its node, and where its children lie behind the roots, or -1."""
    *_, own, first, second = splits
    slots = np.concatenate([roots, np.column_stack([first, second]).ravel()])
    pair_of = np.full(count + len(own), -1)
    pair_of[own] = 2 * np.arange(len(own))
    return slots, pair_of[slots]


def _weights(found: _Nodes, leaves: Given, leaf_of: Integers, width: int) -> dict[str, Any]:
    """leaf_of: of each place the number of its leaf, or -1."""
    nodes = found.find(*(np.array(leaves[name], np.int64) for name in ("treeids", "nodeids")))
    targets, weights = np.array(leaves["ids"], np.int64), np.array(leaves["weights"], np.float32)
    counts = np.bincount(nodes, minlength=found.count)
    if counts[~found.leaf].any() or (counts[found.leaf] == 0).any() or (width == 1 and counts.max() > 1):
        raise GraphNotReadError("a leaf of its trees has no weight or several of a target, or a split has one")
    if not np.isfinite(weights).all() or targets.min() < 0 or targets.max() >= width:
        raise GraphNotReadError("a weight of its trees is not finite, or its target is unknown")
    order = np.argsort(nodes, kind="stable")  # as ONNX Runtime adds them
    starts = np.cumsum(counts) - counts
    of_place = np.where(leaf_of < 0, 0, counts[leaf_of])
    bounds = np.concatenate([[0], np.cumsum(of_place)])
    at = np.repeat(starts[leaf_of] - bounds[:-1], of_place) + np.arange(bounds[-1])
    sure = _sure(found, nodes, targets, width)
    return {"bounds": bounds, "targets": targets[order][at], "weights": weights[order][at], "sure": sure}


def _sure(found: _Nodes, nodes: Integers, targets: Integers, width: int) -> Booleans:
    """bool[width]: whether some tree has a weight of the target in each of its leaves."""
    tree = np.repeat(np.arange(len(found.roots)), np.diff(found.roots, append=found.count))
    leaves = np.bincount(tree[found.leaf], minlength=len(found.roots))
    node, target = np.unique(np.column_stack([nodes, targets]), axis=0).T
    with_weight = np.bincount(tree[node] * width + target, minlength=len(leaves) * width).reshape(-1, width)
    sure: Booleans = (with_weight == leaves[:, None]).any(axis=0)
    return sure
