"""Between which values each metric of a model lies: how much of it is the chance of these test rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.models.comparison.resamples import CONFIDENCE, RESAMPLES, interval, resamples
from training.models.comparison.weighted_metrics import Measure, weighted_metric


def metric_intervals(
    metrics: Sequence[str],
    label: NDArray[np.float64],
    predicted: NDArray[Any],
    entity: NDArray[np.int64],
    seed: int = 0,
    measure: Measure = weighted_metric,
) -> dict[str, Any]:
    """Plain data: the confidence, the number of resamples and of entities, and of each metric its two ends.

    label, predicted, entity: of the same rows. measure: makes each metric. None in place of the ends where the rows
    cannot tell.
    """
    each_of = [measure(name, label, predicted) for name in metrics]
    found = np.array([[each(weights) for each in each_of] for weights in resamples(entity, seed)])
    ends = {name: interval(found[:, place]) for place, name in enumerate(metrics)}
    return {
        "confidence": CONFIDENCE,
        "resamples": RESAMPLES,
        "entities": len(np.unique(entity)),
        "metrics": {name: None if np.isnan(each[0]) else list(each) for name, each in ends.items()},
    }
