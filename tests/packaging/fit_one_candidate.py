"""Run in a fresh environment, by its path and with a library of boosted trees: a model of it becomes a graph."""

from __future__ import annotations

import importlib
import sys

import numpy as np

from training.models.built_candidate import build_steps
from training.models.candidates import fit_model
from training.models.columns import Columns
from training.models.graph.onnx_export import export_onnx, open_session, run_session
from training.models.predictions import predicted

_CLASSIFIERS = {"xgboost": "XGBClassifier", "lightgbm": "LGBMClassifier", "catboost": "CatBoostClassifier"}


def largest_difference(library: str) -> float:
    """Between what is fitted on 300 rows, some of whose values are missing, and its graph."""
    classifier = getattr(importlib.import_module(library), _CLASSIFIERS[library])
    columns, random = Columns(("a", "b", "c")), np.random.default_rng(0)
    matrix = random.normal(size=(300, 3)).astype(np.float32)
    label = (matrix[:, 0] + matrix[:, 1] > 0).astype(np.float64)
    matrix[::7, 2] = np.nan
    steps = build_steps(library, lambda _, seed: classifier(n_estimators=10, random_state=seed), columns, 1, "binary")
    fitted = fit_model(library, matrix, label, 1, "binary", steps, columns)[0]
    given = run_session(open_session(export_onnx(fitted, 3)), matrix)
    return float(np.abs(predicted(fitted, matrix) - given).max())


if __name__ == "__main__":
    worst = largest_difference(sys.argv[1])
    if not worst < 1e-5:
        raise SystemExit(f"{sys.argv[1]}: its graph differs by {worst:g}")
    print(f"{sys.argv[1]}: a graph says what was fitted")
