"""Two models on the same rows: which is better, and how sure that is, by a paired bootstrap.

Both models get the same draw of entities.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shared_features.counted import counted
from training.models.comparison.resamples import CONFIDENCE, RESAMPLES, interval, resamples
from training.models.comparison.weighted_metrics import Measure, weighted_metric
from training.models.task_rules import more_is_better

Verdict = Literal["better", "equal", "worse"]


@dataclass(frozen=True)
class Comparison:
    """difference: ours less theirs. low, high: between which it lies with the confidence. better_share, equal_share: of
    resamples.

    NaN where the rows cannot tell, as in a test window with one class.
    """

    metric: str
    ours: float
    theirs: float
    difference: float
    low: float
    high: float
    better_share: float
    rows: int
    entities: int
    equal_share: float = 0.0

    @property
    def verdict(self) -> Verdict:
        """`better` and `worse` with the confidence; else `equal`, which only says that the rows do not tell."""
        low, high = (self.low, self.high) if more_is_better(self.metric) else (-self.high, -self.low)
        return "better" if low > 0 else "worse" if high < 0 else "equal"

    def describe(self) -> str:
        """In a few words."""
        drawn = f"{RESAMPLES} resamples of {counted(self.entities, 'entity', 'entities')}"
        if math.isnan(self.low):
            return f"none of {drawn} has a value of it"
        if self.equal_share == 1:
            return f"equal in each of {drawn}"
        equal = f" and equal in {self.equal_share:.0%}" if self.equal_share else ""
        return (
            f"{self.verdict} with {CONFIDENCE:.0%} confidence, the difference is from {self.low:+.4f} to "
            f"{self.high:+.4f}, better in {self.better_share:.0%}{equal} of {drawn}"
        )


def compare(
    metric: str,
    label: NDArray[np.float64],
    ours: NDArray[Any],
    theirs: NDArray[Any],
    entity: NDArray[np.int64],
    seed: int = 0,
    measure: Measure = weighted_metric,
) -> Comparison:
    """label, ours, theirs: of the same rows. entity: which rows are drawn together. measure: makes the metric."""
    metrics = [measure(metric, label, each) for each in (ours, theirs)]
    found = np.array([[each(weights) for each in metrics] for weights in resamples(entity, seed)])
    whole = [each(np.ones(len(label))) for each in metrics]
    differences = found[:, 0] - found[:, 1]
    differences = differences[~np.isnan(differences)]
    low, high = interval(differences)
    signed = differences if more_is_better(metric) else -differences
    better, equal = (float(each.mean()) if len(signed) else float("nan") for each in (signed > 0, signed == 0))
    return Comparison(
        metric, whole[0], whole[1], whole[0] - whole[1], low, high, better, len(label), len(np.unique(entity)), equal
    )
