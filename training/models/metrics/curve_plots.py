"""The plots of curves: those of scores with all models in one, those of classes and residuals beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.models.metrics.score_curves import OF_CLASS
from training.plot import plot

_OF_SCORES = (
    ("precision_recall", "Precision and recall", "recall", "precision"),
    ("roc", "ROC", "false positive rate", "true positive rate"),
    ("calibration", "Calibration", "mean score", "share of positive rows"),
    ("answers", "Calibration", "mean probability of the answer", "share of right answers"),
)
_BANDS = {"median": "residual_median", "5th percentile": "residual_low", "95th percentile": "residual_high"}


def score_plots(curves: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """curves: name -> `score_curves`. A plot that none of them has points for is empty."""
    for curve, title, x_name, y_name in _OF_SCORES:
        lines = {name: each[curve] for name, each in curves.items() if each.get(curve)}
        yield plot(title, x_name, y_name, lines)


def own_plots(found: Mapping[str, Any], whose: str = "") -> Iterator[str]:
    """Two plots of one model. found: `class_curves` or `residual_curves`; nothing of others. whose: after a title."""
    for curve, title, x_name, y_name in _OF_SCORES:
        lines = {
            name.removeprefix(f"{curve}{OF_CLASS}"): line
            for name, line in found.items()
            if name.startswith(f"{curve}{OF_CLASS}")
        }
        if lines:
            yield plot(f"{title} of each class{whose}", x_name, y_name, lines)
    if not (dots := found.get("residuals")):
        return
    lines = {name: found[band] for name, band in _BANDS.items()}
    yield plot(f"Residuals{whose}", "value", "value less label", lines, dots, fits=True)
    ends = [found["values"][0][0], found["values"][-1][0]]
    diagonal = {"as the model says": [[each, each] for each in ends]}
    yield plot(f"Labels{whose}", "value", "label", diagonal, found["values"], fits=True)
