"""A sorted search inside a graph: one tree of ONNX, so that a threshold decides exactly, and a certificate finds it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

DOMAIN, OPERATOR = "ai.onnx.ml", "TreeEnsembleRegressor"


def search_tree(thresholds: NDArray[np.float32]) -> dict[str, Any]:
    """The attributes of a tree that gives how many of the sorted thresholds are less than a value; of NaN, all.

    It takes float32[n, 1] and gives float32[n, 1].
    """
    nodes: dict[str, list[Any]] = {"featureids": [], "modes": [], "values": [], "truenodeids": [], "falsenodeids": []}
    leaves: list[tuple[int, float]] = []

    def grow(low: int, high: int) -> int:
        at = len(nodes["modes"])
        for each, nothing in zip(nodes.values(), (0, "LEAF", 0.0, 0, 0), strict=True):
            each.append(nothing)
        if low == high:
            leaves.append((at, float(low)))
            return at
        middle = (low + high) // 2
        nodes["modes"][at], nodes["values"][at] = "BRANCH_LEQ", float(thresholds[middle])
        nodes["truenodeids"][at], nodes["falsenodeids"][at] = grow(low, middle), grow(middle + 1, high)
        return at

    grow(0, len(thresholds))
    count = len(nodes["modes"])
    return {
        "n_targets": 1,
        "nodes_treeids": [0] * count,
        "nodes_nodeids": list(range(count)),
        **{f"nodes_{name}": values for name, values in nodes.items()},
        "nodes_hitrates": [1.0] * count,
        "nodes_missing_value_tracks_true": [0] * count,
        "target_treeids": [0] * len(leaves),
        "target_nodeids": [at for at, _ in leaves],
        "target_ids": [0] * len(leaves),
        "target_weights": [leaf for _, leaf in leaves],
        "post_transform": "NONE",
    }
