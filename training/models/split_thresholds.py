"""The thresholds at which trees split: read for the certificate, and rounded so that ONNX splits alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline
from sklearn.tree import BaseDecisionTree


def split_nodes(pipeline: Pipeline) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Per tree, (feature index, threshold) of its splits; empty for a model without trees."""
    found: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
    for features, thresholds in _tree_arrays(pipeline):
        splits = features >= 0
        found.append((features[splits].astype(np.int64), np.array(thresholds[splits], np.float64)))
    return found


def round_thresholds(pipeline: Pipeline) -> None:
    """Round every threshold down to a float32, in place.

    Trees compare `value <= threshold` with a float64 threshold half-way between two values; ONNX keeps it as the
    nearest float32, which may be the upper of the two. Of a float32 value, the greatest float32 not above the
    threshold says the same as the threshold itself, so rounding down changes no answer and makes both sides equal.
    """
    for _, thresholds in _tree_arrays(pipeline):
        with np.errstate(over="ignore"):
            nearest = thresholds.astype(np.float32)
        thresholds[:] = np.where(nearest > thresholds, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def _tree_arrays(pipeline: Pipeline) -> list[tuple[NDArray[Any], NDArray[np.float64]]]:
    """Per tree, views of its nodes' features (negative in a leaf) and thresholds; writing to them changes the tree."""
    return list(_arrays_of(pipeline[-1]))


def _arrays_of(estimator: Any) -> Iterator[tuple[NDArray[Any], NDArray[np.float64]]]:
    """Of a tree, of boosting by histograms, or of whatever else is made of estimators."""
    if isinstance(estimator, HistGradientBoostingClassifier | HistGradientBoostingRegressor):
        nodes = [each.nodes for stage in estimator._predictors for each in stage]
        yield from ((np.where(each["is_leaf"], -1, each["feature_idx"]), each["num_threshold"]) for each in nodes)
    elif isinstance(estimator, BaseDecisionTree):
        yield estimator.tree_.feature, estimator.tree_.threshold
    else:
        for each in np.ravel(np.asarray(getattr(estimator, "estimators_", ()), object)):
            yield from _arrays_of(each)
