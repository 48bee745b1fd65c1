"""Metrics as functions of the rows' weights: what is sorted is sorted once, so a resample costs one pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.models.metrics.calibration import calibration_bins
from training.models.metrics.pinball import pinball

Floats = NDArray[np.float64]
Weighted = Callable[[Floats], float]
"""float64[n] weights, how often each row counts -> the metric; NaN where the rows cannot tell."""
Measure = Callable[[str, Floats, NDArray[Any]], Weighted]
"""A metric's name, labels and predictions of the same rows -> the metric as a function of their weights."""
_LEAST = float(np.finfo(np.float64).eps)


def weighted_metric(metric: str, label: Floats, predicted: NDArray[Any]) -> Weighted:
    """label: float64[n]. predicted: float[n] scores or values, or float[n, classes] probabilities.

    With a weight of 1 for each row the metric is that of `evaluation` and `class_metrics`.
    """
    given = np.asarray(predicted, np.float64)
    if metric == "calibration_error":
        return _calibration_error(label, given)
    if metric in _OF_ROWS:
        return _mean_of(_OF_ROWS[metric](label, given))
    if metric == "rmse":
        mean = _mean_of((given - label) ** 2)
        return lambda weights: float(np.sqrt(mean(weights)))
    if metric == "r2":
        return _r2(label, given)
    if metric == "f1_macro":
        return _f1_macro(label, given)
    kind = _CURVES[metric.removesuffix("_macro")]
    if given.ndim == 1:
        return kind(label > 0, given)
    classes = [kind(label == code, given[:, code]) for code in range(given.shape[1])]
    return lambda weights: _known_mean([each(weights) for each in classes])


def _log_loss(label: Floats, given: Floats) -> Floats:
    if given.ndim == 2:
        return -np.log(np.clip(given[np.arange(len(label)), label.astype(np.int64)], _LEAST, 1.0))
    score = np.clip(given, _LEAST, 1 - _LEAST)
    return -np.log(np.where(label > 0, score, 1 - score))


def _accuracy(label: Floats, given: Floats) -> Floats:
    right: NDArray[np.bool_] = given.argmax(axis=1) == label
    return right.astype(np.float64)


_OF_ROWS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "log_loss": _log_loss,
    "brier_score": lambda label, given: (given - label) ** 2,
    "accuracy": _accuracy,
    "mae": lambda label, given: np.abs(given - label),
    **{f"pinball_{percent}": partial(pinball, percent=percent) for percent in (10, 50, 90)},
}


def _mean_of(values: Floats) -> Weighted:
    return lambda weights: float(weights @ values / weights.sum()) if weights.any() else float("nan")


def _known_mean(values: Sequence[float]) -> float:
    known = [each for each in values if not np.isnan(each)]
    return sum(known) / len(known) if known else float("nan")


def _curve(positive: NDArray[np.bool_], score: Floats) -> Callable[[Floats], tuple[Floats, Floats]]:
    """Weights -> the true and false positives at each different score, from the highest on."""
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    sign = positive[order]

    def counted(weights: Floats) -> tuple[Floats, Floats]:
        placed = weights[order]
        true, every = np.cumsum(placed * sign)[ends], np.cumsum(placed)[ends]
        return true, every - true

    return counted


def _roc_auc(positive: NDArray[np.bool_], score: Floats) -> Weighted:
    counted = _curve(positive, score)

    def area(weights: Floats) -> float:
        true, false = counted(weights)
        if not true[-1] or not false[-1]:
            return float("nan")
        before = np.concatenate([[0.0], true[:-1]])
        return float((np.diff(false, prepend=0.0) * (true + before)).sum() / 2 / true[-1] / false[-1])

    return area


def _average_precision(positive: NDArray[np.bool_], score: Floats) -> Weighted:
    counted = _curve(positive, score)

    def mean(weights: Floats) -> float:
        true, false = counted(weights)
        if not true[-1] or not false[-1]:
            return float("nan")
        precision = true / np.maximum(true + false, _LEAST)
        return float((np.diff(true, prepend=0.0) * precision).sum() / true[-1])

    return mean


_CURVES = {"roc_auc": _roc_auc, "average_precision": _average_precision}


def _r2(label: Floats, given: Floats) -> Weighted:
    def share(weights: Floats) -> float:
        whole = weights.sum()
        spread = weights @ (label - weights @ label / whole) ** 2 if whole else 0.0
        return float(1 - weights @ (given - label) ** 2 / spread) if spread > 0 else float("nan")

    return share


def _f1_macro(label: Floats, given: Floats) -> Weighted:
    answered, found, size = given.argmax(axis=1), label.astype(np.int64), given.shape[1]

    def mean(weights: Floats) -> float:
        both = np.bincount(found[answered == found], weights[answered == found], size)
        either = np.bincount(found, weights, size) + np.bincount(answered, weights, size)
        return _known_mean([2 * b / e if e else float("nan") for b, e in zip(both, either, strict=True)])

    return mean


def _calibration_error(label: Floats, given: Floats) -> Weighted:
    said, right, at = calibration_bins(label, given)

    def error(weights: Floats) -> float:
        off = np.bincount(at, weights * (said - right))
        return float(np.abs(off).sum() / weights.sum()) if weights.any() else float("nan")

    return error
