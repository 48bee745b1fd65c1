"""A number within its quantiles, or as the range that it is in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skl2onnx.algebra.onnx_ops import (
    OnnxGreater,
    OnnxIsNaN,
    OnnxLess,
    OnnxTreeEnsembleRegressor_1,
    OnnxWhere,
)

from training.models.encoders import Binned, Winsorized
from training.models.search_tree import search_tree

Values = NDArray[np.float32]


@dataclass(frozen=True)
class HeldNumber:
    """ends: float32[2]. Infinities become an end, and NaN stays."""

    ends: Values
    width: int = 1

    def encode(self, values: Values) -> Values:
        low, high = self.ends
        below = np.where(values < low, low, values)
        return np.where(below > high, high, below)[:, None]

    def graph(self, column: Any, opset: int) -> Any:
        low, high = self.ends[:1, None], self.ends[1:, None]
        below = OnnxWhere(OnnxLess(column, low, op_version=opset), low, column, op_version=opset)
        return OnnxWhere(OnnxGreater(below, high, op_version=opset), high, below, op_version=opset)


@dataclass(frozen=True)
class BinnedNumber:
    """ends: float32[n], the greatest value of each range but the last; none of a column without values."""

    ends: Values
    width: int = 1

    def encode(self, values: Values) -> Values:
        found = np.searchsorted(self.ends, values, side="left").astype(np.float32)
        return np.where(np.isnan(values), np.float32(np.nan), found)[:, None]

    def graph(self, column: Any, opset: int) -> Any:
        found = OnnxTreeEnsembleRegressor_1(column, op_version=1, **search_tree(self.ends))
        missing = OnnxIsNaN(column, op_version=opset)
        return OnnxWhere(missing, np.array([[np.nan]], np.float32), found, op_version=opset)


def held_number(encoder: Winsorized, values: Values) -> HeldNumber:
    return HeldNumber(_quantiles(values, np.array([encoder.low, encoder.high])))


def binned_number(encoder: Binned, values: Values) -> BinnedNumber:
    finite = values[np.isfinite(values)]
    ends = np.unique(_quantiles(values, np.arange(1, encoder.bins) / encoder.bins))
    return BinnedNumber(ends[ends < finite.max()] if len(finite) else ends[:0])


def _quantiles(values: Values, shares: NDArray[np.float64]) -> Values:
    """Values that there are, so that each is a float32 to the last bit; 0 of a column without a finite value."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return np.zeros(len(shares), np.float32)
    return np.quantile(finite, shares, method="inverted_cdf").astype(np.float32)
