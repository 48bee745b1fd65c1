"""The trees of LightGBM, from its own dump. They compare `value <= threshold` in float64.

A node says what it does with a missing value: one that saw none in training takes it for 0, and one that did sends it
the way that was better. A category's missing value goes with the values that are not in the node's set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from training.models.boosting.tree_ensemble import Link, TreeEnsemble

_LINKS: Mapping[str, Link] = {
    "binary": "logistic",
    "multiclass": "softmax",
    **dict.fromkeys(("poisson", "gamma", "tweedie"), "exp"),
    **dict.fromkeys(("regression", "regression_l1", "huber", "fair", "quantile", "mape"), "identity"),
}


def lightgbm_trees(model: Any) -> TreeEnsemble:
    """Of a fitted LGBMClassifier or LGBMRegressor. Raises ValueError for what a graph cannot hold."""
    document = model.booster_.dump_model()
    objective, *options = document["objective"].split(" ")
    if objective not in _LINKS or "sqrt" in options:
        raise ValueError(f"LightGBM's objective {' '.join([objective, *options])} cannot be exported. Use one of "
                         f"{', '.join(_LINKS)}")  # fmt: skip
    if document["average_output"]:
        raise ValueError("LightGBM's boosting type rf cannot be exported. Leave out `boosting_type`")
    classes = document["num_tree_per_iteration"]
    ensemble = TreeEnsemble(np.zeros(classes), _LINKS[objective], document["max_feature_idx"] + 1)
    steepness = float(dict(each.split(":") for each in options if ":" in each).get("sigmoid", 1))
    for number, tree in enumerate(document["tree_info"]):
        _add(ensemble, number, tree["tree_structure"], number % classes, steepness)
    if ensemble.link == "exp":
        ensemble.take_out_level()
    return ensemble


def _add(ensemble: TreeEnsemble, number: int, root: Mapping[str, Any], target: int, steepness: float) -> None:
    waiting, count = [(0, root)], 1
    while waiting:
        at, node = waiting.pop()
        if "split_feature" not in node:
            if node.get("leaf_coeff"):
                raise ValueError("LightGBM's linear trees cannot be exported. Leave out `linear_tree`")
            ensemble.leaf((number, at), [node["leaf_value"] * steepness], target)
            continue
        ways = (count, count + 1)
        count += 2
        waiting += [(ways[1], node["right_child"]), (ways[0], node["left_child"])]
        _split(ensemble, (number, at), node, ways)


def _split(ensemble: TreeEnsemble, place: tuple[int, int], node: Mapping[str, Any], ways: tuple[int, int]) -> None:
    feature, kind = node["split_feature"], node["missing_type"]
    if node["decision_type"] == "==":
        values = frozenset(map(int, str(node["threshold"]).split("||")))
        ensemble.split_by_set(place, feature, values, ways, missing=False)
        return
    if kind == "Zero":
        raise ValueError("LightGBM's zero_as_missing cannot be exported. Leave it out")
    threshold = float(node["threshold"])
    ensemble.split(place, feature, threshold, ways, missing=node["default_left"] if kind == "NaN" else threshold >= 0)
