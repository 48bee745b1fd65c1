"""The metric of each slice of the test window: whether a model is good for some rows and bad for others."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.datasets.time_split import TEST
from training.datasets.training_dataset import TrainingDataset
from training.models.comparison.slice_order import MISSING
from training.models.comparison.weighted_metrics import weighted_metric
from training.models.task_rules import more_is_better

LEAST_ROWS = 50
"""Of a slice with fewer, the metric says little."""
_MOST_VALUES = 12


def slice_metrics(dataset: TrainingDataset, predicted: NDArray[Any], column: str, metric: str) -> dict[str, Any]:
    """Plain data: each slice with its rows and metric, the worst, the best and the gap between them.

    predicted: of each row of the test window. A category has a slice for each value, a number with few values too; any
    other number has the quarters of its rows. worst, best and gap are None where fewer than two slices can be compared.
    """
    rows = dataset.rows(TEST)
    names, at = _slices(dataset, column, np.asarray(dataset.matrix[rows, dataset.features.index(column)]))
    label, slices = dataset.label[rows], dict[str, dict[str, Any]]()
    for code, name in enumerate(names):
        own = at == code
        value = weighted_metric(metric, label[own], predicted[own])(np.ones(int(own.sum()))) if own.any() else np.nan
        slices[name] = {"rows": int(own.sum()), metric: None if np.isnan(value) else float(value)}
    known = {
        name: each[metric] for name, each in slices.items() if each["rows"] >= LEAST_ROWS and each[metric] is not None
    }
    found: dict[str, Any] = {"metric": metric, "slices": slices, "worst": None, "best": None, "gap": None}
    if len(known) >= 2:
        ranked = sorted(known, key=lambda name: known[name], reverse=not more_is_better(metric))
        found |= {"worst": ranked[0], "best": ranked[-1], "gap": abs(known[ranked[-1]] - known[ranked[0]])}
    return found


def _slices(dataset: TrainingDataset, column: str, values: NDArray[np.float32]) -> tuple[list[str], NDArray[np.int64]]:
    """The names of the slices, and which of them each row is in."""
    missing = np.isnan(values)
    different = np.unique(values[~missing])
    if column in dataset.manifest.categories:
        known = dataset.manifest.categories[column]
        names = [str(known[int(place)]) for place in different]
        at = np.searchsorted(different, values)
    elif len(different) <= _MOST_VALUES:
        names, at = [f"{value:g}" for value in different], np.searchsorted(different, values)
    else:
        edges = np.unique(np.quantile(values[~missing], (0.25, 0.5, 0.75)))
        at = np.searchsorted(edges, values, side="right")
        ends = [f"{edge:g}" for edge in edges]
        between = [f"{low} to {high}" for low, high in pairwise(ends)]
        names = [f"below {ends[0]}", *between, f"from {ends[-1]}"]
    return [*names, MISSING], np.where(missing, len(names), at)
