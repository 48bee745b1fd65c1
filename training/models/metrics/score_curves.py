"""The curves of scores over the test window, each as at most a hundred of its points: enough to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.models.metrics.calibration import calibration_curve

_POINTS = 101
_MOST_CLASSES = 5
OF_CLASS = " of "
"""Between a curve and the class that it is of."""

Curve = list[list[float]]
"""Points [x, y], x from 0 to 1."""


def score_curves(label: NDArray[np.float64], score: NDArray[Any]) -> dict[str, Curve]:
    """`precision_recall` has recall as x, `roc` the false positive rate, `calibration` the mean score of a bin.

    label: 0 and 1, both of them.
    """
    from sklearn.metrics import precision_recall_curve, roc_curve  # the page, which only draws, does without it

    precision, recall, _ = precision_recall_curve(label, score)
    false, true, _ = roc_curve(label, score)
    return {
        "precision_recall": _thinned(recall[::-1], precision[::-1]),
        "roc": _thinned(false, true),
        "calibration": calibration_curve(label, score),
    }


def class_curves(
    label: NDArray[np.float64], probabilities: NDArray[Any], classes: Sequence[str | int]
) -> dict[str, Curve]:
    """Of the most frequent classes, each against the others: `precision_recall of NAME`, `roc of NAME`.

    label: places of classes. probabilities: float[n, classes]. `answers` has the mean probability of the most probable
    class as x, and the share of rows that are of it as y.
    """
    rows = np.bincount(label.astype(np.int64), minlength=len(classes))
    often = [at for at in np.argsort(-rows, kind="stable")[:_MOST_CLASSES] if 0 < rows[at] < len(label)]
    found: dict[str, Curve] = {"answers": calibration_curve(label, probabilities)}
    for at in sorted(often):
        of_class = score_curves((label == at).astype(np.float64), probabilities[:, at])
        found |= {f"{curve}{OF_CLASS}{classes[at]}": of_class[curve] for curve in ("precision_recall", "roc")}
    return found


def _thinned(x: NDArray[np.float64], y: NDArray[np.float64]) -> Curve:
    """Points of the curve itself, the first and the last among them."""
    at = np.searchsorted(x, np.linspace(0.0, 1.0, _POINTS)).clip(0, len(x) - 1)
    kept = np.unique(np.concatenate([[0], at, [len(x) - 1]]))
    return [[round(float(a), 6), round(float(b), 6)] for a, b in zip(x[kept], y[kept], strict=True)]
