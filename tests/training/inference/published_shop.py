"""Models of the web shop's orders, of each task, fitted on noise and published as training publishes them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tests.domains.web_shop import ORDER_RETURN
from tests.serving.published_models import publish
from training.models.candidates import fit_model
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


@cache
def graph_of(name: str) -> bytes:
    task, features = MODELS[name][0], len(ORDER_RETURN.columns)
    random = np.random.default_rng(3)
    matrix = (random.normal(size=(600, features)) * 20).astype(np.float32)
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    number = np.nansum(matrix, axis=1) + random.normal(size=600) * 30
    places = np.searchsorted(np.quantile(number, (0.4, 0.7)), number)
    label = {"binary": (places > 1).astype(float), "multiclass": places.astype(float), "regression": number}[task]
    return export_onnx(fit_model(name, matrix, label, 1, task)[0], features, task)
