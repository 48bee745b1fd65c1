"""A category as a table: a line for each of its values, and one more for a missing value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto
from skl2onnx.algebra.onnx_ops import OnnxCast, OnnxEqual, OnnxGather, OnnxIsNaN, OnnxWhere

from training.models.encoders import Ordinal, TargetMean

Values = NDArray[np.float32]
_MISSING = -1.0


@dataclass(frozen=True)
class OneHotValues:
    """The column of a value's own place is 1. There is no table: it would be as large as the square of `size`."""

    size: int

    @property
    def width(self) -> int:
        return self.size

    def encode(self, values: Values) -> Values:
        """float32[n, size]"""
        is_it: NDArray[np.bool_] = values[:, None] == np.arange(self.size, dtype=np.float32)
        return is_it.astype(np.float32)

    def graph(self, column: Any, opset: int) -> Any:
        is_it = OnnxEqual(column, np.arange(self.size, dtype=np.float32)[None, :], op_version=opset)
        return OnnxCast(is_it, to=TensorProto.FLOAT, op_version=opset)


@dataclass(frozen=True)
class ValueTable:
    """table: float32[number of values + 1, width]; its last line is of a missing value."""

    table: Values

    @property
    def width(self) -> int:
        return int(self.table.shape[1])

    def encode(self, values: Values) -> Values:
        """float32[n, width]"""
        return self.table[places(values, len(self.table) - 1)]

    def graph(self, column: Any, opset: int) -> Any:
        last = np.array([[len(self.table) - 1]], np.float32)
        place = OnnxWhere(OnnxIsNaN(column, op_version=opset), last, column, op_version=opset)
        line = OnnxGather(OnnxCast(place, to=TensorProto.INT64, op_version=opset), np.array(0, np.int64), axis=1,
                          op_version=opset)  # fmt: skip
        return OnnxGather(self.table, line, axis=0, op_version=opset)


def places(values: Values, size: int) -> NDArray[np.int64]:
    """The lines of values in their table."""
    return np.where(np.isnan(values), np.float32(size), values).astype(np.int64)


def ordinal_table(encoder: Ordinal, size: int, names: Sequence[object]) -> ValueTable:
    """names: of the values, in the order of their places; where they are unknown, a value has its place."""
    lines = list(range(size))
    if encoder.order and names:
        of_name: dict[object, int] = {name: at for at, name in enumerate(encoder.order)}
        lines = [of_name.get(name, int(_MISSING)) for name in names]
    return ValueTable(np.array([*lines, _MISSING], np.float32)[:, None])


def mean_table(encoder: TargetMean, values: Values, size: int, targets: NDArray[np.float64]) -> ValueTable:
    """targets: float64[n, width]"""
    return ValueTable(_means(encoder, places(values, size), size, targets).astype(np.float32))


def out_of_fold_means(encoder: TargetMean, values: Values, size: int, targets: NDArray[np.float64]) -> Values:
    """float32[n, width]: each row by the labels of the rows that are not in its fold."""
    lines, fold = places(values, size), np.arange(len(values)) % encoder.folds
    found = np.empty(targets.shape, np.float32)
    for each in range(min(encoder.folds, len(values))):
        own = fold == each
        found[own] = _means(encoder, lines[~own], size, targets[~own])[lines[own]]
    return found


def targets_of(label: NDArray[Any]) -> NDArray[np.float64]:
    """float64[n, width]: of a number, and of 0 and 1, the label itself; of several classes 1 in the class's column."""
    if label.dtype.kind == "f" or label.max(initial=0) <= 1:
        return label.astype(np.float64)[:, None]
    is_it: NDArray[np.bool_] = label[:, None] == np.unique(label)
    return is_it.astype(np.float64)


def _means(
    encoder: TargetMean, lines: NDArray[np.int64], size: int, targets: NDArray[np.float64]
) -> NDArray[np.float64]:
    """float64[size + 1, width]"""
    overall = targets.sum(axis=0) / max(1, len(targets))
    counts = np.bincount(lines, minlength=size + 1)[:, None]
    sums = np.stack([np.bincount(lines, each, size + 1) for each in targets.T], axis=1)
    weight = counts + encoder.smoothing
    found: NDArray[np.float64] = np.where(
        weight > 0, (sums + encoder.smoothing * overall) / np.where(weight > 0, weight, 1), overall
    )
    found[size] = overall
    return found
