"""How good the champion is, measured as the challenger is, and beside the challenger on the same rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.errors import FeatureError
from shared_features.formats.model_manifest import METRICS_FILE, MODEL_FILE, check_manifest
from training.datasets.categories import places_in
from training.datasets.time_split import TEST
from training.datasets.training_dataset import TrainingDataset
from training.models.comparison.paired_bootstrap import Comparison, compare
from training.models.graph.onnx_export import open_session, run_session
from training.models.metrics.class_metrics import in_order
from training.models.metrics.evaluation import evaluate_predictions
from training.registry.versions import Registry
from training.runs.plan.run_parameters import RunParameters


@dataclass(frozen=True)
class ChampionMetrics:
    """basis: over which rows. comparison: of the challenger with it; None where it was trained on another view."""

    metrics: Mapping[str, Any]
    basis: str
    comparison: Comparison | None


def champion_metrics(
    registry: Registry, model: str, version: int, challenger: int, dataset: TrainingDataset, parameters: RunParameters
) -> ChampionMetrics:
    """The champion's metrics over this run's test rows; its own published ones where it wants other features."""
    try:
        check_manifest(registry.manifest(model, version), parameters.view)
    except FeatureError:
        found = json.loads(registry.read(model, version, METRICS_FILE))
        basis = "on its own test window, since it was trained on another view"
        return ChampionMetrics(found["models"][found["chosen"]], basis, None)
    ours, theirs = (_predicted(registry, model, each, dataset) for each in (challenger, version))
    metrics = evaluate_predictions(dataset, theirs, parameters.k)
    rows = dataset.rows(TEST)
    comparison = compare(parameters.chosen_by, dataset.label[rows], ours, theirs, dataset.entity[rows], parameters.seed)
    return ChampionMetrics(metrics, "on the same rows", comparison)


def _predicted(registry: Registry, model: str, version: int, dataset: TrainingDataset) -> NDArray[np.float32]:
    """What a version says of the test rows, its classes in the order of the dataset's."""
    manifest = registry.manifest(model, version)
    rows = np.array(dataset.matrix[dataset.rows(TEST)])
    for name, values in dataset.manifest.categories.items():
        column = dataset.features.index(name)
        rows[:, column] = places_in(manifest.categories.get(name, ()), values, rows[:, column])
    predicted = run_session(open_session(registry.read(model, version, MODEL_FILE)), rows)
    if dataset.manifest.task == "multiclass":
        predicted = np.asarray(in_order(predicted, manifest.classes, dataset.manifest.classes), np.float32)
    return predicted
