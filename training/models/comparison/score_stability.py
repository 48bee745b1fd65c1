"""How far a model's scores lie from another one's on the same rows: whether those who act on them notice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import rankdata

from training.datasets.statistics.column_bins import choose_bins, stability_index

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ScoreStability:
    """psi: population stability index of our scores against theirs, in bins of the deciles of theirs.
    rank_correlation: Spearman's, from -1 to 1; None where one model says the same of all rows. changed: the share of
    rows with another decision, or another class; None where a model decides nothing. mean_change: of a score,
    probability or value, in its own unit.

    Of several classes psi is the largest and rank_correlation the least of all classes.
    """

    rows: int
    psi: float | None
    rank_correlation: float | None
    changed: float | None
    mean_change: float


def score_stability(
    ours: NDArray[Any], theirs: NDArray[Any], thresholds: tuple[float | None, float | None] = (None, None)
) -> ScoreStability | None:
    """ours, theirs: float[n] scores or values, or float[n, classes] probabilities, of the same rows.

    thresholds: our and their score from which on a decision is true. None without a row.
    """
    if not len(ours):
        return None
    a, b = (np.asarray(each, np.float64) for each in (ours, theirs))
    columns = list(zip(a.T, b.T, strict=True)) if a.ndim == 2 else [(a, b)]
    indices = [found for each in columns if (found := _stability_index(*each)) is not None]
    ranks = [found for each in columns if (found := _rank_correlation(*each)) is not None]
    return ScoreStability(
        len(a),
        max(indices, default=None),
        min(ranks, default=None),
        _changed(a, b, thresholds),
        float(np.abs(a - b).mean()),
    )


def _stability_index(ours: Floats, theirs: Floats) -> float | None:
    bins = choose_bins(pl.Series(theirs))
    before, now = (bins.counted(bins.places(pl.Series(each))) for each in (theirs, ours))
    return stability_index(before, now)


def _rank_correlation(ours: Floats, theirs: Floats) -> float | None:
    """Pearson's correlation of the ranks; equal scores share the mean of their ranks."""
    if np.array_equal(ours, theirs):
        return 1.0
    ranks = [rankdata(each) for each in (ours, theirs)]
    if any(np.ptp(each) == 0 for each in ranks):
        return None
    return float(np.corrcoef(*ranks)[0, 1])


def _changed(ours: Floats, theirs: Floats, thresholds: tuple[float | None, float | None]) -> float | None:
    if ours.ndim == 2:
        return float((ours.argmax(axis=1) != theirs.argmax(axis=1)).mean())
    mine, other = thresholds
    if mine is None or other is None:
        return None
    return float(((ours >= mine) != (theirs >= other)).mean())
