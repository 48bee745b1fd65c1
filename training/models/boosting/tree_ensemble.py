"""Boosted trees as ONNX holds them: nodes with float32 thresholds, whichever library fitted the trees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from training.models.split_thresholds import rounded_down

Link = Literal["identity", "logistic", "softmax", "exp"]
"""From the sum over the trees to what is answered."""
_NODES = ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids",
          "missing_value_tracks_true")  # fmt: skip
_LEAVES = ("treeids", "nodeids", "ids", "weights")


@dataclass
class TreeEnsemble:
    """base: float64[targets], where the sums begin; of several classes, one for each.

    factor: what is multiplied by it behind an exponential. sets: of the splits by sets of a category's places, in the
    order of the columns that stand behind the features.
    """

    base: NDArray[np.float64]
    link: Link
    features: int
    factor: float = 1.0
    sets: list[tuple[int, frozenset[int]]] = field(default_factory=list)
    _nodes: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in _NODES})
    _leaves: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in _LEAVES})
    _columns: dict[tuple[int, frozenset[int]], int] = field(default_factory=dict)

    def split(
        self, place: tuple[int, int], feature: int, threshold: float, ways: tuple[int, int], *, missing: bool,
        below: bool = False,
    ) -> None:  # fmt: skip
        """place: tree and node. ways: the nodes for a value up to the threshold, or below it, and for any other.

        missing: whether a missing value goes the first way.
        """
        self._node(place, feature, "BRANCH_LT" if below else "BRANCH_LEQ", threshold, ways, missing)

    def split_by_set(
        self, place: tuple[int, int], feature: int, values: frozenset[int], ways: tuple[int, int], *, missing: bool
    ) -> None:
        """The first way is that of the values. The graph looks up for each row whether its value is one of them."""
        key = (feature, values)
        if key not in self._columns:
            self._columns[key] = self.features + len(self.sets)
            self.sets.append(key)
        # The column holds 0 for a value of the set, else 1, and NaN where the value is missing.
        self._node(place, self._columns[key], "BRANCH_LEQ", 0.5, ways, missing)

    def leaf(self, place: tuple[int, int], weights: Sequence[float], target: int = 0) -> None:
        """weights: of the targets from `target` on."""
        self._node(place, 0, "LEAF", 0.0, (0, 0), False)
        for at, weight in enumerate(weights, target):
            for name, value in zip(_LEAVES, (*place, at, weight), strict=True):
                self._leaves[name].append(value)

    def _node(
        self, place: tuple[int, int], feature: int, mode: str, threshold: float, ways: tuple[int, int], missing: bool
    ) -> None:
        values = (*place, feature, mode, threshold, *ways, int(missing))
        for name, value in zip(_NODES, values, strict=True):
            self._nodes[name].append(value)

    def take_out_level(self) -> None:
        """Turn the level of the exponents into a factor behind them. A sum near 0 is more exact in float32."""
        of_first = np.array(self._leaves["treeids"]) == 0
        weights = np.array(self._leaves["weights"], np.float64)
        level = float(weights[of_first].mean()) if of_first.any() else 0.0
        self._leaves["weights"] = (weights - np.where(of_first, level, 0.0)).tolist()
        self.factor *= math.exp(level + float(self.base[0]))
        self.base = np.zeros(1)

    def attributes(self) -> dict[str, Any]:
        """Of the operator TreeEnsembleRegressor, which gives the sums."""
        nodes: dict[str, Any] = {f"nodes_{name}": each for name, each in self._nodes.items()}
        nodes["nodes_values"] = rounded_down(np.array(self._nodes["values"], np.float64)).astype(np.float32)
        leaves: dict[str, Any] = {f"target_{name}": each for name, each in self._leaves.items()}
        leaves["target_weights"] = np.array(self._leaves["weights"], np.float32)
        base = self.base.astype(np.float32)
        return {**nodes, **leaves, "base_values": base, "n_targets": len(self.base), "post_transform": "NONE"}
