"""The gap of one feature: in how many rows it was served otherwise than it had happened, by how much, and why."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from training.proofs.gap.served_stages import CAUSES


@dataclass(frozen=True)
class CauseGap:
    """Rows whose difference this cause made the most of. mean, largest: of the absolute differences, where both values
    are there; missing: rows where one of the two is not.
    """

    rows: int = 0
    mean: float = 0.0
    largest: float = 0.0
    missing: int = 0


@dataclass(frozen=True)
class FeatureGap:
    """rows: how many were compared. whole: all that differ. causes: the same rows, each under one cause.

    typical: the median of the absolute values in event time, to hold a difference against.
    """

    feature: str
    rows: int
    typical: float
    whole: CauseGap
    causes: dict[str, CauseGap] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Part of the rows, 0 to 1."""
        return self.whole.rows / self.rows if self.rows else 0.0


def feature_gap(feature: str, stages: Sequence[NDArray[np.float64]], named: bool = False) -> FeatureGap:
    """stages: the values float64[n] of each stage, from event-time truth to as served. named: they are codes of names,
    so that a difference has no size.
    """
    truth, served = stages[0], stages[-1]
    differs = different(truth, served)
    steps = np.stack([_size(before, after) for before, after in itertools.pairwise(stages)])
    most = steps.argmax(axis=0)
    size = np.full(len(truth), np.nan) if named else np.abs(served - truth)
    causes = {cause: _cause_gap(differs & (most == at), size) for at, cause in enumerate(CAUSES)}
    there = np.abs(truth[np.isfinite(truth)])
    typical = float(np.median(there)) if len(there) and not named else 0.0
    return FeatureGap(feature, len(truth), typical, _cause_gap(differs, size), causes)


def different(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.bool_]:
    """bool[n]. Two missing values are the same."""
    same: NDArray[np.bool_] = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    return ~same


def _size(before: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of a change; a value that comes or goes is the largest there is."""
    with np.errstate(invalid="ignore"):
        size = np.abs(after - before)
    return np.where(different(before, after), np.where(np.isnan(size), np.inf, size), 0.0)


def _cause_gap(rows: NDArray[np.bool_], size: NDArray[np.float64]) -> CauseGap:
    sizes = size[rows]
    there = sizes[np.isfinite(sizes)]
    mean, largest = (float(there.mean()), float(there.max())) if len(there) else (0.0, 0.0)
    return CauseGap(int(rows.sum()), mean, largest, len(sizes) - len(there))
