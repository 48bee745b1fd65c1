"""Trees that do not hold together are not compiled: a walk could never end, or would leave its arrays."""

from __future__ import annotations

import numpy as np
import pytest

from shared_features.errors import ManifestMismatchError
from training.errors import GraphNotReadError
from training.inference.trees.tree_nodes import flat_trees

NODES = {
    "treeids": [0, 0, 0, 1],
    "nodeids": [0, 1, 2, 0],
    "featureids": [2, 0, 0, 0],
    "modes": [b"BRANCH_LEQ", b"LEAF", b"LEAF", b"LEAF"],
    "values": [0.5, 0, 0, 0],
    "truenodeids": [1, 0, 0, 0],
    "falsenodeids": [2, 0, 0, 0],
    "missing_value_tracks_true": [1, 0, 0, 0],
}
LEAVES = {"treeids": [0, 0, 1], "nodeids": [1, 2, 0], "ids": [0, 0, 0], "weights": [1.0, 2.0, 10.0]}


def test_a_row_gets_the_weights_of_its_leaves():
    rows = np.zeros((4, 3), np.float32)
    rows[:, 2] = (0.5, np.nextafter(np.float32(0.5), np.float32(1)), np.nan, -np.inf)
    assert flat_trees(NODES, LEAVES, 1).sums(rows).ravel().tolist() == [11, 12, 11, 11]
    tracks = {"missing_value_tracks_true": None}
    assert flat_trees({**NODES, **tracks}, LEAVES, 1).sums(rows).ravel().tolist() == [11, 12, 12, 11]


def test_rows_without_a_column_of_the_trees_are_refused():
    with pytest.raises(ManifestMismatchError, match="read column 2, and are given 2"):
        flat_trees(NODES, LEAVES, 1).sums(np.zeros((4, 2), np.float32))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"truenodeids": [0, 0, 0, 0]}, "two parents"),
        ({"truenodeids": [2, 0, 0, 0]}, "two parents"),
        ({"truenodeids": [7, 0, 0, 0]}, "name a node that they do not have"),
        ({"nodeids": [0, 1, 1, 0]}, "two nodes of a tree have one number"),
        ({"treeids": [0, 1, 0, 1], "nodeids": [0, 1, 2, 0]}, "do not stand side by side"),
        ({"modes": [b"BRANCH_MEMBER", b"LEAF", b"LEAF", b"LEAF"]}, "nodes of mode BRANCH_MEMBER"),
        ({"values": [float("nan"), 0, 0, 0]}, "no threshold or no feature"),
        ({"featureids": [-1, 0, 0, 0]}, "no threshold or no feature"),
        ({"missing_value_tracks_true": [2, 0, 0, 0]}, "does not say where missing values go"),
        ({"values": [0.5, 0, 0]}, "not the same number of each attribute"),
        ({name: [] for name in NODES}, "have no nodes"),
    ],
)
def test_nodes_that_do_not_hold_together_are_refused(changed, why):
    with pytest.raises(GraphNotReadError, match=why):
        flat_trees({**NODES, **changed}, LEAVES, 1)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"nodeids": [1, 1, 0]}, "no weight or several"),
        ({"treeids": [0, 0, 0], "nodeids": [1, 2, 0]}, "no weight or several of a target, or a split has one"),
        ({"weights": [1.0, float("inf"), 10.0]}, "is not finite, or its target is unknown"),
        ({"ids": [0, 0, 1]}, "is not finite, or its target is unknown"),
    ],
)
def test_weights_that_do_not_fit_are_refused(changed, why):
    with pytest.raises(GraphNotReadError, match=why):
        flat_trees(NODES, {**LEAVES, **changed}, 1)
