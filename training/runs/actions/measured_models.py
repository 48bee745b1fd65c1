"""How good models are over the test window of a dataset: the content of `metrics.json`, and the curves."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.datasets.time_split import TEST
from training.datasets.training_dataset import TrainingDataset
from training.models.comparison.metric_intervals import metric_intervals
from training.models.comparison.permutation_importance import permutation_importance
from training.models.comparison.slice_metrics import slice_metrics
from training.models.comparison.window_measure import window_measure
from training.models.metrics.choice import choosing_metric, metric_of_parts
from training.models.metrics.decision_metrics import decision_metrics
from training.models.metrics.evaluation import candidate_rows, evaluate_predictions
from training.models.metrics.precision_name import precision_at
from training.models.metrics.residual_curves import residual_curves
from training.models.metrics.score_curves import class_curves, score_curves
from training.models.task_rules import better
from training.progress import Tell, untold
from training.runs.plan.run_parameters import RunParameters

Scored = Mapping[str, NDArray[Any]]
"""Name of a model -> what it says of each row of the test window, in order."""
Predict = Callable[[NDArray[np.float32]], NDArray[Any]]


def measure_models(
    dataset: TrainingDataset,
    matrix: NDArray[np.float32],
    scored: Scored,
    predict_of: Callable[[str], Predict],
    parameters: RunParameters,
    tell: Tell = untold,
) -> dict[str, Any]:
    """Plain data: the metrics of each model, which is best by the metric that is asked for, and what is known of it.

    matrix: float32[n, features] of the test window. predict_of: what the model of a name says of rows. Raises
    DatasetError where the test window cannot tell.
    """
    rows = dataset.rows(TEST)
    label, entity = dataset.label[rows], dataset.entity[rows]
    metrics, usual = _metrics(dataset, label, scored, parameters), parameters.rules.chosen_by
    by = choosing_metric(parameters.chosen_by, usual, metrics)
    of_parts = metric_of_parts(by, usual)
    chosen = functools.reduce(
        lambda best, name: name if better(by, metrics[name][by], metrics[best][by]) else best, scored
    )
    tell(f"looking which features {chosen} needs")
    needed = permutation_importance(predict_of(chosen), matrix, label, dataset.features, of_parts, parameters.seed)
    told = (*parameters.rules.metrics, *map(precision_at, parameters.named_ks))
    measure = window_measure(dataset)
    intervals = metric_intervals(told, label, scored[chosen], entity, parameters.seed, measure)
    report = {
        "chosen": chosen,
        "chosen_by": by,
        "asked_by": parameters.chosen_by,
        "task": dataset.manifest.task,
        "models": metrics,
        "rows": len(label),
        "intervals": intervals,
        "importance": needed,
        "importance_by": of_parts,
        "slices": {name: slice_metrics(dataset, scored[chosen], name, of_parts) for name in parameters.slices},
    }
    if empty := dataset.without_value():
        report["without_value"] = empty
    if dataset.manifest.task == "binary":
        report |= {
            "positive": int((label > 0).sum()),
            "candidates": len(candidate_rows(dataset)[0]),
            "k": parameters.k,
            "entity": dataset.manifest.entity,
        }
    return report


def _metrics(
    dataset: TrainingDataset, label: NDArray[np.float64], scored: Scored, parameters: RunParameters
) -> dict[str, dict[str, Any]]:
    metrics = {name: evaluate_predictions(dataset, found, *parameters.ks) for name, found in scored.items()}
    if parameters.threshold is not None:
        for name, score in scored.items():
            metrics[name]["decisions"] = decision_metrics(label, score, parameters.threshold)
    return metrics


def curves_of(dataset: TrainingDataset, scored: Scored) -> dict[str, Any]:
    """Name of a model -> curve -> points."""
    label, classes = dataset.label[dataset.rows(TEST)], dataset.manifest.classes
    if dataset.manifest.task == "multiclass":
        return {name: class_curves(label, each, classes) for name, each in scored.items()}
    draw = score_curves if dataset.manifest.task == "binary" else residual_curves
    return {name: draw(label, each) for name, each in scored.items()}
