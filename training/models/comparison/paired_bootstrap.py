"""Two models on the same rows: which is better, and how sure that is, by a paired bootstrap.

Both models get the same draw of entities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from training.models.comparison.resamples import CONFIDENCE, RESAMPLES, interval, resamples
from training.models.comparison.weighted_metrics import weighted_metric
from training.models.task_rules import BETTER_IS_MORE

Verdict = Literal["better", "equal", "worse"]


@dataclass(frozen=True)
class Comparison:
    """difference: ours less theirs. low, high: between which it lies with the confidence. better_share: of resamples.

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

    @property
    def verdict(self) -> Verdict:
        """`better` and `worse` with the confidence; else `equal`, which only says that the rows do not tell."""
        low, high = (self.low, self.high) if BETTER_IS_MORE[self.metric] else (-self.high, -self.low)
        return "better" if low > 0 else "worse" if high < 0 else "equal"

    def describe(self) -> str:
        """In a few words."""
        return (
            f"{self.verdict} with {CONFIDENCE:.0%} confidence, the difference is from {self.low:+.4f} to "
            f"{self.high:+.4f}, better in {self.better_share:.0%} of {RESAMPLES} resamples of {self.entities:,} "
            "entities"
        )


def compare(
    metric: str,
    label: NDArray[np.float64],
    ours: NDArray[Any],
    theirs: NDArray[Any],
    entity: NDArray[np.int64],
    seed: int = 0,
) -> Comparison:
    """label, ours, theirs: of the same rows. entity: which rows are drawn together."""
    metrics = [weighted_metric(metric, label, each) for each in (ours, theirs)]
    found = np.array([[each(weights) for each in metrics] for weights in resamples(entity, seed)])
    whole = [each(np.ones(len(label))) for each in metrics]
    differences = found[:, 0] - found[:, 1]
    differences = differences[~np.isnan(differences)]
    low, high = interval(differences)
    signed = differences if BETTER_IS_MORE[metric] else -differences
    share = float((signed > 0).mean()) if len(signed) else float("nan")
    return Comparison(
        metric, whole[0], whole[1], whole[0] - whole[1], low, high, share, len(label), len(np.unique(entity))
    )
