"""Calibration: whether of the rows with a score of 0.3 three of ten are positive.

The error is the expected calibration error of Naeini, Cooper, Hauskrecht, *Obtaining Well Calibrated Probabilities
Using Bayesian Binning* (AAAI 2015), in bins of equally many rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_BINS = 10
Floats = NDArray[np.float64]


def calibration_bins(label: Floats, predicted: NDArray[Any]) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Of each row what the model says, whether that is right (1.0 or 0.0), and the number of its bin.

    Of several classes: the probability of the most probable one, and whether it is the row's. Equal scores share a bin.
    """
    given = np.asarray(predicted, np.float64)
    if given.ndim == 2:
        said, right = given.max(axis=1), (given.argmax(axis=1) == label).astype(np.float64)
    else:
        said, right = given, (label > 0).astype(np.float64)
    edges = np.unique(np.quantile(said, np.arange(1, _BINS) / _BINS)) if len(said) else said
    return said, right, np.searchsorted(edges, said, side="right")


def calibration_error(label: Floats, predicted: NDArray[Any]) -> float:
    """0 to 1: how far the mean score of a bin is from the share of positive rows, on the average of all rows."""
    said, right, at = calibration_bins(label, predicted)
    return float(np.abs(np.bincount(at, said - right)).sum() / len(said)) if len(said) else float("nan")


def calibration_curve(label: Floats, predicted: NDArray[Any]) -> list[list[float]]:
    """Points [mean score, share of positive rows], one for each bin that has rows."""
    said, right, at = calibration_bins(label, predicted)
    rows = np.bincount(at)
    known = np.flatnonzero(rows)
    sums = (np.bincount(at, each)[known] / rows[known] for each in (said, right))
    return [[round(float(x), 6), round(float(y), 6)] for x, y in zip(*sums, strict=True)]
