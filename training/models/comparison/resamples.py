"""Resamples of a test window, by entities: the rows of one entity are alike, so they are drawn together.

Efron and Tibshirani, *An Introduction to the Bootstrap* (1993). A row counts as often as its entity was drawn, which is
Poisson with mean 1.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
RESAMPLES = 400


def resamples(entity: NDArray[np.int64], seed: int) -> Iterator[NDArray[np.float64]]:
    """RESAMPLES times float64[n] weights: how often each row counts."""
    _, code = np.unique(entity, return_inverse=True)
    random, entities = np.random.default_rng(seed), int(code.max(initial=-1)) + 1
    for _ in range(RESAMPLES):
        yield random.poisson(1.0, entities).astype(np.float64)[code]


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """Between which the middle CONFIDENCE of the values lies. NaN where none is a number."""
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(known, (tail, 1 - tail))
    return float(low), float(high)
