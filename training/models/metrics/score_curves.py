"""The curves of scores over the test window, each as at most a hundred of its points: enough to be drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from training.models.metrics.calibration import calibration_curve

_POINTS = 101

Curve = list[list[float]]
"""Points [x, y], x from 0 to 1."""


def score_curves(label: NDArray[np.float64], score: NDArray[Any]) -> dict[str, Curve]:
    """`precision_recall` has recall as x, `roc` the false positive rate, `calibration` the mean score of a bin.

    label: 0 and 1, both of them.
    """
    precision, recall, _ = precision_recall_curve(label, score)
    false, true, _ = roc_curve(label, score)
    return {
        "precision_recall": _thinned(recall[::-1], precision[::-1]),
        "roc": _thinned(false, true),
        "calibration": calibration_curve(label, score),
    }


def _thinned(x: NDArray[np.float64], y: NDArray[np.float64]) -> Curve:
    """Points of the curve itself, the first and the last among them."""
    at = np.searchsorted(x, np.linspace(0.0, 1.0, _POINTS)).clip(0, len(x) - 1)
    kept = np.unique(np.concatenate([[0], at, [len(x) - 1]]))
    return [[round(float(a), 6), round(float(b), 6)] for a, b in zip(x[kept], y[kept], strict=True)]
