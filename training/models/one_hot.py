"""A step of a pipeline: the place of a category's value becomes one column for each value, inside the graph too."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto
from skl2onnx import update_registered_converter
from skl2onnx.algebra.onnx_ops import OnnxCast, OnnxConcat, OnnxEqual, OnnxGather
from skl2onnx.common.data_types import FloatTensorType
from sklearn.base import BaseEstimator, TransformerMixin


class OneHotCategories(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """The numbers as they are, then for each value of each category 1 where it is this one, else 0.

    categories: (column, number of values) of each. A value that is missing, or was not seen in training, is NaN in its
    column, so all of its category's columns are 0.
    """

    def __init__(self, categories: tuple[tuple[int, int], ...] = ()) -> None:
        self.categories = categories

    def fit(self, matrix: NDArray[np.float32], label: Any = None) -> Self:
        self.n_features_in_ = matrix.shape[1]
        columns = {column for column, _ in self.categories}
        self.numbers_ = [at for at in range(matrix.shape[1]) if at not in columns]
        return self

    def transform(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        parts = [matrix[:, self.numbers_]]
        for column, size in self.categories:
            parts.append((matrix[:, [column]] == np.arange(size, dtype=np.float32)).astype(np.float32))
        return np.concatenate(parts, axis=1)


def _shape(operator: Any) -> None:
    step = operator.raw_operator
    width = len(step.numbers_) + sum(size for _, size in step.categories)
    operator.outputs[0].type = FloatTensorType([None, width])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    step, opset, matrix = operator.raw_operator, container.target_opset, operator.inputs[0]
    parts = []
    if step.numbers_:
        parts.append(OnnxGather(matrix, np.array(step.numbers_, np.int64), axis=1, op_version=opset))
    for column, size in step.categories:
        if size:
            place = OnnxGather(matrix, np.array([column], np.int64), axis=1, op_version=opset)
            is_it = OnnxEqual(place, np.arange(size, dtype=np.float32)[None, :], op_version=opset)
            parts.append(OnnxCast(is_it, to=TensorProto.FLOAT, op_version=opset))
    OnnxConcat(*parts, axis=1, op_version=opset, output_names=operator.outputs[:1]).add_to(scope, container)


update_registered_converter(OneHotCategories, "MillraceOneHotCategories", _shape, _convert)
