"""The residuals of a regression over the test window: some rows as points, and what most rows lie between."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.models.metrics.score_curves import Curve

_DOTS = 300
_GROUPS = 20
_LEAST = 5
"""Rows of a group, so that its percentiles say something."""
_LINES = {"residual_median": 50.0, "residual_low": 5.0, "residual_high": 95.0}


def residual_curves(label: NDArray[np.float64], value: NDArray[Any]) -> dict[str, Curve]:
    """`residuals` and `values`: points [value, value less label] and [value, label] of rows at even steps of the value.

    `residual_median`, `residual_low` and `residual_high`: of twenty groups of rows by their value, as many in each, the
    mean value and the percentile 50, 5 and 95 of the residual. Unit: that of the label.
    """
    order = np.argsort(value, kind="stable")
    said, known = np.asarray(value, np.float64)[order], label[order]
    residual = said - known
    at = np.unique(np.linspace(0, len(order) - 1, _DOTS).round().astype(np.int64))
    groups = np.array_split(np.arange(len(order)), max(1, min(_GROUPS, len(order) // _LEAST)))
    found = {"residuals": _points(said[at], residual[at]), "values": _points(said[at], known[at])}
    for name, percent in _LINES.items():
        found[name] = [
            [_rounded(said[rows].mean()), _rounded(np.percentile(residual[rows], percent))] for rows in groups
        ]
    return found


def _points(x: NDArray[np.float64], y: NDArray[np.float64]) -> Curve:
    return [[_rounded(a), _rounded(b)] for a, b in zip(x, y, strict=True)]


def _rounded(number: Any) -> float:
    """Six digits are enough to be drawn."""
    return float(f"{float(number):.6g}")
