"""Models of the web shop's orders, of each task, fitted on noise and published as training publishes them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.domains.web_shop import ORDER_RETURN
from tests.serving.published_models import publish
from training.models.candidates import fit_model
from training.models.corrected_fit import LearnedRows, fit_corrected
from training.models.fitting import Calibrate, Fitting
from training.models.graph.onnx_export import export_onnx
from training.models.task_rules import RULES

CLASSES = ("kept", "lost", "returned")
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "hist_gradient_boosting": ("binary", {"threshold": 0.5}),
    "logistic_regression": ("binary", {}),
    "random_forest": ("multiclass", {"classes": CLASSES}),
    "linear_regression": ("regression", {}),
}
"""Candidate -> task, and what its manifest has. Two of them add in another order for several rows than for one."""


def publish_shop(registry: Path, name: str) -> int:
    task, changed = MODELS[name]
    return publish(
        registry, ORDER_RETURN, graph=graph_of(name), task=task, output_name=RULES[task].output_name, **changed
    )


def publish_calibrated(registry: Path, calibrate: Calibrate) -> int:
    """A random forest of several classes, each calibrated by rows that it did not learn from."""
    matrix, label = _learned("multiclass")
    rows = LearnedRows(matrix, label, np.arange(len(label)), "multiclass", CLASSES)
    fitted, _ = fit_corrected(
        lambda some, weights: fit_model("random_forest", some.matrix, some.label, 1, "multiclass", weights=weights),
        rows,
        Fitting(calibrate),
        seed=1,
    )
    return publish(
        registry,
        ORDER_RETURN,
        graph=export_onnx(fitted, matrix.shape[1], "multiclass"),
        task="multiclass",
        output_name=RULES["multiclass"].output_name,
        classes=CLASSES,
    )


@cache
def graph_of(name: str) -> bytes:
    task = MODELS[name][0]
    matrix, label = _learned(task)
    return export_onnx(fit_model(name, matrix, label, 1, task)[0], matrix.shape[1], task)


def _learned(task: str) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    features = len(ORDER_RETURN.columns)
    random = np.random.default_rng(3)
    matrix = (random.normal(size=(600, features)) * 20).astype(np.float32)
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    number = np.nansum(matrix, axis=1) + random.normal(size=600) * 30
    places = np.searchsorted(np.quantile(number, (0.4, 0.7)), number)
    return matrix, {"binary": (places > 1) * 1.0, "multiclass": places.astype(float), "regression": number}[task]
