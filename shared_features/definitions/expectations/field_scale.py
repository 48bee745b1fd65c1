"""How the column of a field stores what an expectation writes: whole steps, or texts."""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions.expectations.expectation import Value
from shared_features.definitions.fields import Field

_BEYOND = 1 << 62
"""Steps that no field has."""


class FieldScale:
    """Of one field. Exact: a bound of 0.07 lets 0.07 pass, whatever its float64 is."""

    def __init__(self, field: Field) -> None:
        self._field = field

    def low(self, bound: float) -> float:
        return self._bound(bound, decimal.ROUND_CEILING)

    def high(self, bound: float) -> float:
        return self._bound(bound, decimal.ROUND_FLOOR)

    def among(self, values: Sequence[Value]) -> NDArray[Any]:
        if self._field.is_text:
            return np.array(values, object)
        steps = [self._steps(float(each)) for each in values]
        return np.array([int(each) for each in steps if each == each.to_integral_value()], np.int64)

    def _bound(self, bound: float, rounding: str) -> int:
        return int(self._steps(bound).to_integral_value(rounding))

    def _steps(self, value: float) -> decimal.Decimal:
        if not abs(value) * self._field.scale < _BEYOND:
            return decimal.Decimal(_BEYOND if value > 0 else -_BEYOND)
        return decimal.Decimal(repr(value)).scaleb(self._field.type.step_decimals)
