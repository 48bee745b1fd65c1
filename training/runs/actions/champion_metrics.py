"""How good the champion is, measured as the challenger is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from shared_features.errors import FeatureError
from shared_features.formats.model_manifest import METRICS_FILE, MODEL_FILE, check_manifest
from training.datasets.categories import places_in
from training.datasets.time_split import TEST
from training.datasets.training_dataset import load_dataset
from training.models.graph.onnx_export import open_session, run_session
from training.models.metrics.class_metrics import in_order
from training.models.metrics.evaluation import evaluate_predictions
from training.registry.versions import Registry
from training.runs.plan.run_parameters import RunParameters
from training.runs.records.run_folder import read_json


def champion_metrics(
    registry: Registry, model: str, version: int, dataset_directory: Path, parameters: RunParameters
) -> tuple[dict[str, Any], str]:
    """The champion's metrics over this run's test rows; its own published ones where it wants other features."""
    path = registry.path(model, version)
    manifest = registry.manifest(model, version)
    try:
        check_manifest(manifest, parameters.view)
    except FeatureError:
        found = read_json(path / METRICS_FILE)
        return found["models"][found["chosen"]], "on its own test window, since it was trained on another view"
    dataset = load_dataset(dataset_directory)
    rows = np.array(dataset.matrix[dataset.rows(TEST)])
    for name, values in dataset.manifest.categories.items():
        column = dataset.features.index(name)
        rows[:, column] = places_in(manifest.categories.get(name, ()), values, rows[:, column])
    predicted = run_session(open_session((path / MODEL_FILE).read_bytes()), rows)
    if dataset.manifest.task == "multiclass":
        predicted = in_order(predicted, manifest.classes, dataset.manifest.classes)
    return evaluate_predictions(dataset, predicted, parameters.k), "on the same rows"
