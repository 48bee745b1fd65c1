"""A step of a pipeline: a value beyond the range seen in fitting counts as that range's end.

So a model never extrapolates, infinities have a meaning, and float32 arithmetic behind this step stays in a range that
was tried. Trees do not notice: their splits lie inside the range.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from skl2onnx import update_registered_converter
from skl2onnx.algebra.onnx_ops import OnnxGreater, OnnxLess, OnnxWhere
from skl2onnx.common.data_types import FloatTensorType
from sklearn.base import BaseEstimator, TransformerMixin


class TrainingRange(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Clips each column to its finite range in fitting; NaN stays NaN. A column without a finite value becomes 0.

    categories: columns that stay as they are, as the next place is another value, and no larger one.
    """

    low_: NDArray[np.float32]
    high_: NDArray[np.float32]

    def __init__(self, categories: tuple[int, ...] = ()) -> None:
        self.categories = categories

    def fit(self, matrix: NDArray[np.float32], label: Any = None) -> Self:
        self.n_features_in_ = matrix.shape[1]
        ranges = [_finite_range(matrix[:, index]) for index in range(matrix.shape[1])]
        self.low_ = np.array([low for low, _ in ranges], np.float32)
        self.high_ = np.array([high for _, high in ranges], np.float32)
        kept = list(self.categories)
        self.low_[kept], self.high_[kept] = -np.inf, np.inf
        return self

    def transform(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        below = np.where(matrix < self.low_, self.low_, matrix)
        return np.where(below > self.high_, self.high_, below)


def _finite_range(column: NDArray[np.float32]) -> tuple[np.float32, np.float32]:
    finite = column[np.isfinite(column)]
    return (finite.min(), finite.max()) if len(finite) else (np.float32(0), np.float32(0))


def _shape(operator: Any) -> None:
    operator.outputs[0].type = FloatTensorType([None, operator.raw_operator.n_features_in_])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    step, opset, matrix = operator.raw_operator, container.target_opset, operator.inputs[0]
    low, high = step.low_[None, :], step.high_[None, :]
    below = OnnxWhere(OnnxLess(matrix, low, op_version=opset), low, matrix, op_version=opset)
    above = OnnxGreater(below, high, op_version=opset)
    OnnxWhere(above, high, below, op_version=opset, output_names=operator.outputs[:1]).add_to(scope, container)


update_registered_converter(TrainingRange, "MillraceTrainingRange", _shape, _convert)
