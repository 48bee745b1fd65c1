"""The trees of CatBoost, from its own JSON. They compare `value > border` in float32."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.models.boosting.tree_ensemble import Link, TreeEnsemble

_LINKS: Mapping[str, Link] = {
    "Logloss": "logistic",
    "CrossEntropy": "logistic",
    "MultiClass": "softmax",
    **dict.fromkeys(("RMSE", "MAE", "Quantile", "Huber", "MAPE", "LogLinQuantile", "Expectile"), "identity"),
}


def catboost_trees(model: Any) -> TreeEnsemble:
    """Of a fitted CatBoostClassifier or CatBoostRegressor. Raises ValueError for what a graph cannot hold."""
    objective = model.get_all_params()["loss_function"].partition(":")[0]
    if objective not in _LINKS or objective == "LogLinQuantile":
        raise ValueError(f"CatBoost's loss function {objective} cannot be exported. Use one of {', '.join(_LINKS)}")
    document = _document(model)
    scale, bias = document["scale_and_bias"]
    borders = document["features_info"]["float_features"]
    if document["features_info"].get("categorical_features"):
        raise ValueError("CatBoost's categorical features cannot be exported. Begin with `columns.encoded()`")
    ensemble = TreeEnsemble(np.atleast_1d(np.array(bias, np.float64)), _LINKS[objective], len(borders))
    for number, tree in enumerate(document.get("oblivious_trees", ())):
        _add_symmetric(ensemble, number, tree, borders, scale)
    for number, tree in enumerate(document.get("trees", ())):
        _add(ensemble, number, tree, borders, scale)
    return ensemble


def _document(model: Any) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="millrace-catboost-") as folder:
        file = Path(folder) / "model.json"
        model.save_model(str(file), format="json")
        found: dict[str, Any] = json.loads(file.read_bytes())
    return found


def _add_symmetric(
    ensemble: TreeEnsemble, number: int, tree: Mapping[str, Any], borders: Sequence[Mapping[str, Any]], scale: float
) -> None:
    """One whose nodes of a level all ask the same: the first question is the lowest bit of a leaf's place."""
    splits, targets = tree["splits"] or [], len(ensemble.base)
    for level, split in enumerate(reversed(splits)):
        for at in range(2**level):
            node = 2**level - 1 + at
            _split(ensemble, (number, node), split, borders, (2 * node + 1, 2 * node + 2))
    first = 2 ** len(splits) - 1
    for leaf in range(2 ** len(splits)):
        values = tree["leaf_values"][leaf * targets : (leaf + 1) * targets]
        ensemble.leaf((number, first + leaf), [scale * each for each in values])


def _add(
    ensemble: TreeEnsemble, number: int, root: Mapping[str, Any], borders: Sequence[Mapping[str, Any]], scale: float
) -> None:
    waiting, count = [(0, root)], 1
    while waiting:
        at, node = waiting.pop()
        if "split" not in node:
            ensemble.leaf((number, at), [scale * each for each in np.atleast_1d(node["value"]).tolist()])
            continue
        ways = (count, count + 1)
        count += 2
        waiting += [(ways[1], node["right"]), (ways[0], node["left"])]
        _split(ensemble, (number, at), node["split"], borders, ways)


def _split(
    ensemble: TreeEnsemble,
    place: tuple[int, int],
    split: Mapping[str, Any],
    borders: Sequence[Mapping[str, Any]],
    ways: tuple[int, int],
) -> None:
    feature = borders[split["float_feature_index"]]
    missing_is_greater = feature["nan_value_treatment"] == "AsTrue"
    border = float(np.float32(split["border"]))
    ensemble.split(place, feature["flat_feature_index"], border, ways, missing=not missing_is_greater)
