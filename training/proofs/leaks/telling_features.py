"""Features that tell the label too well alone: what nearly is the label was perhaps made from it."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.datasets.time_split import TRAIN
from training.datasets.training_dataset import TrainingDataset

TOO_GOOD = 0.99
"""Of the area under the ROC curve, and of a rank correlation: what a single honest feature hardly reaches."""
_ROWS = 50_000
_FEWEST = 10
"""Rows of an outcome, below which anything may look good."""


def telling_features(dataset: TrainingDataset, seed: int = 0) -> dict[str, str]:
    """Feature -> what it does, of each that is pointed at; from rows of the train window."""
    rows = dataset.rows(TRAIN)
    if len(rows) > _ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(rows, _ROWS, replace=False))
    matrix, label = np.asarray(dataset.matrix[rows], np.float64), dataset.label[rows]
    found = {}
    for at, name in enumerate(dataset.features):
        says = _says(dataset, matrix[:, at], label)
        if says is not None:
            found[name] = says
    return found


def _says(dataset: TrainingDataset, values: NDArray[np.float64], label: NDArray[np.float64]) -> str | None:
    if dataset.manifest.task == "regression":
        there = ~np.isnan(values)
        best = abs(rank_correlation(values[there], label[there])) if there.sum() >= _FEWEST else 0.0
        return f"ranks as the label does ({best:.4f} of 1)" if best >= TOO_GOOD else None
    best, missing = 0.0, np.isnan(values)
    for code in np.unique(label):
        outcome = label == code
        if min(outcome.sum(), (~outcome).sum()) < _FEWEST:
            continue
        best = max(best, tells_apart(np.where(missing, -np.inf, values), outcome))
    return f"tells outcomes apart with a ROC AUC of {best:.4f}" if best >= TOO_GOOD else None


def tells_apart(values: NDArray[np.float64], outcome: NDArray[np.bool_]) -> float:
    """The area under the ROC curve of the values as a score, in the direction in which it is larger."""
    ranks = _ranks(values)
    ours = int(outcome.sum())
    theirs = len(outcome) - ours
    area = (float(ranks[outcome].sum()) - ours * (ours + 1) / 2) / (ours * theirs)
    return max(area, 1 - area)


def rank_correlation(values: NDArray[np.float64], label: NDArray[np.float64]) -> float:
    """Spearman's; 0 where one of the two is constant."""
    if np.ptp(values) == 0 or np.ptp(label) == 0:
        return 0.0
    return float(np.corrcoef(_ranks(values), _ranks(label))[0, 1])


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 1 on; equal values share the mean of their ranks."""
    return pl.Series(values).rank("average").to_numpy()
