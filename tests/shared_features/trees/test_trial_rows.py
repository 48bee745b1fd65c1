"""The rows that are tried notice a split that is wrong by the smallest step, wherever it stands in its tree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline

from shared_features.trees import trial_rows
from shared_features.trees.flat_trees import ABOVE, BELOW
from shared_features.trees.trial_rows import rows_at_splits
from tests.training.inference.trees.random_ensembles import ensemble
from training.inference.trees.ensemble import read_ensemble
from training.models.graph.onnx_export import export_onnx

MODES = ["BRANCH_LEQ", "BRANCH_LT"]


def trees():
    """Of splits by different features, so that rows can come to each of them."""
    node = ensemble(np.random.default_rng(3), MODES, 3, 20, 1, "Regressor", 0, n_targets=1, post_transform="NONE")
    given = {each.name: each for each in node.attribute}
    given["nodes_values"].floats[:] = np.random.default_rng(8).normal(size=3 * 39).astype(np.float32).tolist()
    given["nodes_featureids"].ints[:] = given["nodes_nodeids"].ints
    return read_ensemble(node).trees


def tried(found):
    return np.concatenate(list(rows_at_splits(found, np.random.default_rng(0))))


def test_a_threshold_that_is_wrong_by_one_bit_is_noticed():
    found = trees()
    rows = tried(found)
    right = found.sums(rows)
    splits = np.flatnonzero(found.thresholds != ABOVE)
    assert len(splits) == 3 * 19
    for place in splits:
        for step in (-1, 1):
            wrong = found.thresholds.copy()
            wrong[place] += step
            assert (replace(found, thresholds=wrong).sums(rows) != right).any()


def test_each_leaf_of_a_fitted_model_is_reached():
    """Whose splits ask for the same features again and again."""
    random = np.random.default_rng(1)
    matrix = random.normal(size=(3_000, 2)).astype(np.float32)
    number = np.sin(3 * matrix[:, 0]) * matrix[:, 1]
    model = make_pipeline(HistGradientBoostingRegressor(max_iter=3, min_samples_leaf=1).fit(matrix, number))
    (node,) = (each for each in onnx.load_model_from_string(export_onnx(model, 2, "regression")).graph.node[:1])
    found = read_ensemble(node).trees
    (leaves,) = np.nonzero(found.thresholds == ABOVE)
    rows = tried(found)[2_000:]
    of_leaf = replace(found, weights=np.zeros(len(found.weights), np.float32))
    for leaf in leaves:
        of_leaf.weights[:] = 0
        of_leaf.weights[found.bounds[leaf]] = 1
        assert of_leaf.sums(rows).any()


def test_missing_values_that_go_the_wrong_way_are_noticed():
    found = trees()
    for row in range(len(found.missing)):
        wrong = found.missing.copy()
        wrong[row] = BELOW if wrong[row] == ABOVE else ABOVE
        assert (replace(found, missing=wrong).sums(tried(found)) != found.sums(tried(found))).any()


def test_of_very_many_splits_some_are_tried(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(trial_rows, "_MOST_SPLITS", 10)
    monkeypatch.setattr(trial_rows, "_SPLITS_AT_ONCE", 7)
    first, *others = rows_at_splits(trees(), np.random.default_rng(0))
    assert [len(each) for each in others] == [28, 12]
    assert np.isnan(first).any()
    assert np.isinf(first).any()
