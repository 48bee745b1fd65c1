"""Metrics of a test window as functions of its rows' weights: entity precision, too, which needs days and entities."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.datasets.time_split import TEST
from training.datasets.training_dataset import TrainingDataset
from training.models.comparison.weighted_metrics import Floats, Measure, Weighted, weighted_metric
from training.models.metrics.evaluation import candidate_rows
from training.models.metrics.precision_name import k_of


def window_measure(dataset: TrainingDataset) -> Measure:
    """Like `weighted_metric`, of labels and predictions of each row of the test window, in order."""

    def measure(metric: str, label: Floats, predicted: NDArray[Any]) -> Weighted:
        k = k_of(metric)
        if k is None:
            return weighted_metric(metric, label, predicted)
        rows, day = candidate_rows(dataset)
        at = np.searchsorted(dataset.rows(TEST), rows)
        of_candidates = entity_precision(label[at], predicted[at], dataset.entity[rows], day, k)
        return lambda weights: of_candidates(weights[at])

    return measure


def entity_precision(
    label: Floats, score: NDArray[Any], entity: NDArray[np.int64], day: NDArray[np.int64], k: int
) -> Weighted:
    """`entity_precision_at_k` with weights: an entity of weight 2 is two entities of equal rows, with a place each.

    The rows of an entity have one weight. Days on which no row has any do not count; NaN where no positive row has any.
    """
    names, code = np.unique(entity, return_inverse=True)
    frame = pl.DataFrame({"day": day, "code": code, "score": np.asarray(score, np.float64), "positive": label > 0})
    daily = frame.with_row_index("row").group_by("day", "code")
    daily_of = daily.agg(pl.col("row").first(), pl.col("score").max(), pl.col("positive").any())
    ranked = daily_of.sort("day", "score", "code", descending=[False, True, False])
    days = [
        tuple(today[name].to_numpy() for name in ("row", "code", "positive"))
        for today in ranked.partition_by("day", maintain_order=True)
    ]

    def mean(weights: Floats) -> float:
        if not weights[label > 0].any():
            return float("nan")
        detected, shares = np.zeros(len(names)), []
        for row, who, positive in days:
            if weights[row].any():
                left = weights[row] - detected[who]
                found = np.clip(k - (np.cumsum(left) - left), 0.0, left) * positive
                detected[who] += found
                shares.append(float(found.sum()) / k)
        return float(np.mean(shares))

    return mean
