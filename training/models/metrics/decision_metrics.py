"""The metrics of decisions: what comes of a score from a threshold on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def decision_metrics(label: NDArray[np.float64], score: NDArray[Any], threshold: float) -> dict[str, Any]:
    """precision: the share of true decisions whose label is 1; None without one. recall: the share of labels 1 that
    are decided; None without one. positive: how many decisions are true.

    As in serving: true where the score, as a float32, is the threshold or more.
    """
    decided, positive = np.asarray(score, np.float32).astype(np.float64) >= threshold, label > 0
    found, right = int(decided.sum()), int((decided & positive).sum())
    return {
        "threshold": threshold,
        "positive": found,
        "precision": right / found if found else None,
        "recall": right / int(positive.sum()) if positive.any() else None,
    }
