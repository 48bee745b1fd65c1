"""A step of a pipeline: each feature becomes what its encoder makes of it, inside the graph too."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from skl2onnx import update_registered_converter
from skl2onnx.algebra.onnx_ops import OnnxConcat, OnnxGather
from skl2onnx.common.data_types import FloatTensorType
from sklearn.base import BaseEstimator, TransformerMixin

from training.models.encoders import Binned, Encoder, Ordinal, TargetMean, Winsorized
from training.models.encoding.number_ranges import BinnedNumber, HeldNumber, binned_number, held_number
from training.models.encoding.value_tables import (
    OneHotValues,
    ValueTable,
    mean_table,
    ordinal_table,
    out_of_fold_means,
    targets_of,
)

Matrix = NDArray[np.float32]
Part = OneHotValues | ValueTable | HeldNumber | BinnedNumber


class EncodedColumn(NamedTuple):
    """size: how many values a category has; 0 of a number. values: their names, in the order of their places."""

    column: int
    encoder: Encoder
    size: int = 0
    values: tuple[object, ...] = ()


class EncodedColumns(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """First the columns that have no encoder, as they are; then what each encoder gives, in the order of the plan.

    A category's column has places of values, and NaN of a missing value and of one that was not seen in training.
    """

    numbers_: list[int]
    """The columns that have no encoder."""
    parts_: tuple[Part, ...]

    def __init__(self, plan: tuple[EncodedColumn, ...] = ()) -> None:
        self.plan = plan

    def fit(self, matrix: Matrix, label: NDArray[Any] | None = None) -> Self:
        """Raises ValueError without the labels that an encoder asks for."""
        self.n_features_in_ = matrix.shape[1]
        encoded = {each.column for each in self.plan}
        self.numbers_ = [at for at in range(matrix.shape[1]) if at not in encoded]
        self.parts_ = tuple(_fitted(each, matrix[:, each.column], label) for each in self.plan)
        return self

    def fit_transform(self, matrix: Matrix, label: NDArray[Any] | None = None) -> Matrix:
        """Fit, and encode these rows: by `TargetMean` from other rows than themselves."""
        self.fit(matrix, label)
        parts = [
            out_of_fold_means(each.encoder, matrix[:, each.column], each.size, targets_of(np.asarray(label)))
            if isinstance(each.encoder, TargetMean)
            else part.encode(matrix[:, each.column])
            for each, part in zip(self.plan, self.parts_, strict=True)
        ]
        return np.concatenate([matrix[:, self.numbers_], *parts], axis=1)

    def transform(self, matrix: Matrix) -> Matrix:
        parts = [part.encode(matrix[:, each.column]) for each, part in zip(self.plan, self.parts_, strict=True)]
        return np.concatenate([matrix[:, self.numbers_], *parts], axis=1)


def encoded_columns(pipeline: Any) -> list[EncodedColumns]:
    """Those of a pipeline, to any depth."""
    held = pipeline.get_params(deep=True) if hasattr(pipeline, "get_params") else {}
    return [each for each in held.values() if isinstance(each, EncodedColumns)]


def used_encoders(pipeline: Any, names: tuple[str, ...]) -> dict[str, str]:
    """Feature -> its encoder, as it is written in a definition. names: of the features, in the matrix's order."""
    return {names[each.column]: repr(each.encoder) for step in encoded_columns(pipeline) for each in step.plan}


def _fitted(column: EncodedColumn, values: Matrix, label: NDArray[Any] | None) -> Part:
    encoder = column.encoder
    if isinstance(encoder, TargetMean):
        if label is None:
            raise ValueError("TargetMean is fitted with labels")
        return mean_table(encoder, values, column.size, targets_of(np.asarray(label)))
    if isinstance(encoder, Ordinal):
        return ordinal_table(encoder, column.size, column.values)
    if isinstance(encoder, Winsorized):
        return held_number(encoder, values)
    if isinstance(encoder, Binned):
        return binned_number(encoder, values)
    return OneHotValues(column.size)


def _shape(operator: Any) -> None:
    step = operator.raw_operator
    width = len(step.numbers_) + sum(part.width for part in step.parts_)
    operator.outputs[0].type = FloatTensorType([None, width])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    step, opset, matrix = operator.raw_operator, container.target_opset, operator.inputs[0]
    parts = []
    if step.numbers_:
        parts.append(OnnxGather(matrix, np.array(step.numbers_, np.int64), axis=1, op_version=opset))
    for each, part in zip(step.plan, step.parts_, strict=True):
        if part.width:
            column = OnnxGather(matrix, np.array([each.column], np.int64), axis=1, op_version=opset)
            parts.append(part.graph(column, opset))
    OnnxConcat(*parts, axis=1, op_version=opset, output_names=operator.outputs[:1]).add_to(scope, container)


update_registered_converter(EncodedColumns, "MillraceEncodedColumns", _shape, _convert)
