"""How the matrix of a dataset stores what an expectation writes: float32, and places of a category's values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions.expectations.expectation import Value


class MatrixScale:
    """Of one feature. names: of its category, in the order of their places; None of a number.

    Bounds are stored as the matrix stores values, so that one of 0.1 lets 0.1 pass. Only what is infinite stays
    infinite.
    """

    def __init__(self, names: Sequence[Value] | None) -> None:
        self._names = names

    def low(self, bound: float) -> float:
        return float(_stored([bound])[0])

    def high(self, bound: float) -> float:
        return float(_stored([bound])[0])

    def among(self, values: Sequence[Value]) -> NDArray[np.float32]:
        if self._names is None:
            return _stored([float(each) for each in values])
        return _stored([float(at) for at, name in enumerate(self._names) if name in values])


def _stored(numbers: list[float]) -> NDArray[np.float32]:
    given, most = np.asarray(numbers, np.float64), float(np.finfo(np.float32).max)
    return np.where(np.isinf(given), given, np.clip(given, -most, most)).astype(np.float32)
