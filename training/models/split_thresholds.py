"""The thresholds at which fitted trees split, rounded so that ONNX splits alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline
from sklearn.tree import BaseDecisionTree


def round_thresholds(pipeline: Pipeline) -> None:
    """Round every threshold down to a float32, in place.

    Trees compare `value <= threshold` with a float64 threshold half-way between two values; ONNX keeps it as the
    nearest float32, which may be the upper of the two. Of a float32 value, the greatest float32 not above the
    threshold says the same as the threshold itself, so rounding down changes no answer and makes both sides equal.
    """
    for _, thresholds in _tree_arrays(pipeline):
        thresholds[:] = rounded_down(thresholds)


def rounded_down(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The greatest float32 that is not above each, as float64."""
    with np.errstate(over="ignore"):  # of values beyond float32, and of the neighbours that are not taken
        nearest = values.astype(np.float32)
        below = np.nextafter(nearest, np.float32(-np.inf))
    return np.where(nearest > values, below, nearest).astype(np.float64)


def _tree_arrays(pipeline: Pipeline) -> list[tuple[NDArray[Any], NDArray[np.float64]]]:
    """Per tree, views of its nodes' features (negative in a leaf) and thresholds; writing to them changes the tree."""
    return list(_arrays_of(pipeline[-1]))


def _arrays_of(part: Any, seen: set[int] | None = None) -> Iterator[tuple[NDArray[Any], NDArray[np.float64]]]:
    """Of a tree, of boosting by histograms, or of whatever else holds fitted estimators, to any depth."""
    seen = set() if seen is None else seen
    if id(part) in seen:
        return
    seen.add(id(part))
    if isinstance(part, HistGradientBoostingClassifier | HistGradientBoostingRegressor):
        nodes = [each.nodes for stage in getattr(part, "_predictors", ()) for each in stage]
        yield from ((np.where(each["is_leaf"], -1, each["feature_idx"]), each["num_threshold"]) for each in nodes)
    elif isinstance(part, BaseDecisionTree):
        if hasattr(part, "tree_"):  # else it is a pattern of those that were fitted
            yield part.tree_.feature, part.tree_.threshold
    else:
        for each in _held_by(part):
            yield from _arrays_of(each, seen)


def _held_by(part: Any) -> Iterator[Any]:
    """Estimators, and what may hold some: lists, pairs with a name, and other objects of scikit-learn."""
    if isinstance(part, dict):
        yield from part.values()
    elif isinstance(part, list | tuple) or (isinstance(part, np.ndarray) and part.dtype == object):
        yield from np.ravel(np.asarray(part, object)) if isinstance(part, np.ndarray) else part
    elif isinstance(part, BaseEstimator) or type(part).__module__.startswith("sklearn.calibration"):
        yield from vars(part).values()
