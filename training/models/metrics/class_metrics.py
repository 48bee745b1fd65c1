"""The metrics of probabilities of several classes: over all of them, on the average of the classes, and of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from training.models.metrics.calibration import calibration_error

Floats = NDArray[np.floating[Any]]

_LEAST = float(np.finfo(np.float64).eps)
"""A probability of 0 counts as this, as in scikit-learn: its logarithm would be infinite."""


def class_metrics(label: NDArray[np.float64], probabilities: Floats, classes: Sequence[str | int]) -> dict[str, Any]:
    """label: the place of each row's class among the classes. probabilities: float[n, classes].

    The answer for a row is its most probable class, of equal ones the first. `..._macro` is the plain mean over the
    classes that the rows can tell something about, so a rare class counts as much as a frequent one. Of a class that
    has no row, or all of them, or is never answered, some metrics are None.
    """
    found, given = label.astype(np.int64), np.asarray(probabilities, np.float64)
    answered = given.argmax(axis=1)
    of_true = np.clip(given[np.arange(len(found)), found], _LEAST, 1.0)
    of_each = [_of_class(found == code, answered == code, given[:, code]) for code in range(len(classes))]
    for code, each in enumerate(of_each):
        counts = np.bincount(answered[found == code], minlength=len(classes)).tolist()
        each["answered"] = {str(name): count for name, count in zip(classes, counts, strict=True) if count}
    return {
        "log_loss": float(-np.log(of_true).mean()),
        "accuracy": float((answered == found).mean()),
        "calibration_error": calibration_error(label, given),
        **{f"{name}_macro": _mean([each[name] for each in of_each]) for name in ("f1", "roc_auc", "average_precision")},
        "per_class": {str(name): each for name, each in zip(classes, of_each, strict=True)},
    }


def in_order(probabilities: Floats, theirs: Sequence[str | int], ours: Sequence[str | int]) -> Floats:
    """The probabilities of a model of other classes, as float[n, ours]; 0 of a class that the model does not know."""
    place = {name: at for at, name in enumerate(theirs)}
    ordered = np.zeros((len(probabilities), len(ours)), probabilities.dtype)
    for at, name in enumerate(ours):
        if name in place:
            ordered[:, at] = probabilities[:, place[name]]
    return ordered


def _of_class(is_it: NDArray[np.bool_], answered: NDArray[np.bool_], probability: Floats) -> dict[str, Any]:
    rows, answers, both = int(is_it.sum()), int(answered.sum()), int((is_it & answered).sum())
    tells = 0 < rows < len(is_it)
    return {
        "rows": rows,
        "precision": both / answers if answers else None,
        "recall": both / rows if rows else None,
        "f1": 2 * both / (rows + answers) if rows + answers else None,
        "roc_auc": float(roc_auc_score(is_it, probability)) if tells else None,
        "average_precision": float(average_precision_score(is_it, probability)) if tells else None,
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [each for each in values if each is not None]
    return sum(known) / len(known) if known else None
