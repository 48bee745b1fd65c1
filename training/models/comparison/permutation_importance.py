"""How much a model needs each feature: by how much its metric falls when the feature's values are shuffled.

Breiman, *Random Forests* (Machine Learning, 2001), section 10. Of two features that say the same, neither seems needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.models.comparison.weighted_metrics import weighted_metric
from training.models.task_rules import more_is_better

MOST_ROWS = 10_000


def permutation_importance(
    predict: Callable[[NDArray[np.float32]], NDArray[Any]],
    matrix: NDArray[np.float32],
    label: NDArray[np.float64],
    features: Sequence[str],
    metric: str,
    seed: int = 0,
) -> dict[str, float]:
    """Feature -> by how much the metric is worse without it, the largest first; at or below 0: it is not needed.

    Of more rows, MOST_ROWS are drawn. Empty where the drawn rows cannot tell, as with labels of one class.
    """
    random = np.random.default_rng(seed)
    drawn = np.sort(random.permutation(len(label))[:MOST_ROWS])
    rows, ones = np.array(matrix[drawn]), np.ones(len(drawn))
    whole = weighted_metric(metric, label[drawn], predict(rows))(ones)
    if np.isnan(whole):
        return {}
    found = {}
    for at, name in enumerate(features):
        kept = rows[:, at].copy()
        rows[:, at] = kept[random.permutation(len(kept))]
        without = weighted_metric(metric, label[drawn], predict(rows))(ones)
        rows[:, at] = kept
        found[name] = float(whole - without if more_is_better(metric) else without - whole)
    return dict(sorted(found.items(), key=lambda each: -each[1]))
