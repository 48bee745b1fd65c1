"""The trees of XGBoost, from its own JSON. They compare `value < threshold` in float32.

Their sums are float32 too, and begin at the base: it stands before the trees as a tree of one leaf, so that the graph
adds in the same order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.models.boosting.tree_ensemble import Link, TreeEnsemble

_LINKS: Mapping[str, Link] = {
    "binary:logistic": "logistic",
    "multi:softprob": "softmax",
    "multi:softmax": "softmax",
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie"), "exp"),
    **dict.fromkeys(
        ("reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror", "reg:quantileerror", "reg:squaredlogerror"),
        "identity",
    ),
}
_CATEGORICAL = 1


def xgboost_trees(model: Any) -> TreeEnsemble:
    """Of a fitted XGBClassifier or XGBRegressor. Raises ValueError for what a graph cannot hold."""
    learner = json.loads(bytes(model.get_booster().save_raw("json")))["learner"]
    booster, objective = learner["gradient_booster"], learner["objective"]["name"]
    held = booster.get("gbtree", booster)  # `dart` of XGBoost below 3.4 holds its trees one level deeper
    if "model" not in held or "trees" not in held["model"]:
        raise ValueError(f"XGBoost's booster {booster['name']} cannot be exported. Leave out `booster`")
    trees = held["model"]["trees"]
    weights = booster.get("weight_drop") or held["model"].get("weight_drop") or [1.0] * len(trees)
    if objective not in _LINKS:
        raise ValueError(f"XGBoost's objective {objective} cannot be exported. Use one of {', '.join(_LINKS)}")
    base = _base(learner["learner_model_param"], _LINKS[objective])
    features = int(learner["learner_model_param"]["num_feature"])
    ensemble = TreeEnsemble(np.zeros(len(base)), _LINKS[objective], features)
    ensemble.leaf((0, 0), base.tolist())
    for number, tree in enumerate(trees, 1):
        if int(tree["tree_param"].get("size_leaf_vector", 1)) > 1:
            raise ValueError("XGBoost's trees of several outputs cannot be exported. Leave out `multi_strategy`")
        _add(ensemble, number, tree, held["model"]["tree_info"][number - 1], weights[number - 1])
    return ensemble


def _base(parameters: Mapping[str, str], link: Link) -> NDArray[np.float64]:
    """Where the sums begin; XGBoost keeps what it would answer there."""
    told = parameters["base_score"]
    score = np.atleast_1d(np.array(json.loads(told), np.float64))
    if link == "logistic":
        score = -np.log(1 / score - 1)
    elif link == "exp":
        score = np.log(score)
    return np.resize(score, max(1, int(parameters["num_class"])))


def _add(ensemble: TreeEnsemble, number: int, tree: Mapping[str, Any], target: int, weight: float) -> None:
    sets = _sets(tree)
    for node, (left, right) in enumerate(zip(tree["left_children"], tree["right_children"], strict=True)):
        place, feature = (number, node), tree["split_indices"][node]
        condition = float(np.float32(tree["split_conditions"][node]))  # as it is held, not as it is written
        missing = bool(tree["default_left"][node])
        if left == -1:
            ensemble.leaf(place, [condition * weight], target)
        elif tree["split_type"][node] == _CATEGORICAL:  # its values go to the right
            ensemble.split_by_set(place, feature, sets[node], (right, left), missing=not missing)
        else:
            ensemble.split(place, feature, condition, (left, right), missing=missing, below=True)


def _sets(tree: Mapping[str, Any]) -> dict[int, frozenset[int]]:
    """Node -> the places of its category's values that go to the right."""
    parts = zip(tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"], strict=True)
    return {node: frozenset(tree["categories"][start : start + size]) for node, start, size in parts}
