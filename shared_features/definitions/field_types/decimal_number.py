"""Numbers of a fixed count of decimals: the text of a number is rounded once, half to even.

A float64 drops digits of a text, and its product with a power of ten is rounded too. Both errors together are less than
2**-51 of the product. So almost every product decides its step; one near the middle of two steps, or beyond 2**50, does
not. Such a value is taken from its text. Where there is no text, a float64 stands for its shortest one (`repr`).
"""

from __future__ import annotations

import decimal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from shared_features.counted import counted
from shared_features.definitions.field_types.field_type import Bools, Exact, FieldType, bounds_contradiction
from shared_features.kernel.feature_spec import MAX_DECIMALS

_ERROR = 2.0**-51
_CONTEXT = decimal.Context(prec=40, rounding=decimal.ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Decimal(FieldType):
    """A number kept at a fixed count of decimals, `low <= value <= high`; finer input is rounded half to even."""

    decimals: int
    low: float
    high: float

    step_options: ClassVar[tuple[str, ...]] = ("decimals",)

    @property
    def step_decimals(self) -> int:
        return self.decimals

    def contradiction(self) -> str | None:
        if not 0 <= self.decimals <= MAX_DECIMALS:
            return f"decimals is {self.decimals}; give 0 to {MAX_DECIMALS}"
        return bounds_contradiction(self.low, self.high, self.decimals)

    @property
    def wire(self) -> Any:
        return float

    @property
    def bounded(self) -> Any:
        return Annotated[float, Meta(ge=self.low, le=self.high)]

    @property
    def exact_wire(self) -> Any:
        return decimal.Decimal

    def unsure(self, values: Sequence[Any]) -> list[int]:
        # Without numpy: a request has few values, and this is on its way.
        scale = 10.0**self.decimals
        near = min(0.5, self._largest * _ERROR)
        low, high = 0.5 - near, 0.5 + near
        candidates = [row for row, each in enumerate(values) if each is not None and low <= each * scale % 1.0 <= high]
        return [row for row in candidates if self._is_unsure(values[row] * scale)]

    @staticmethod
    def _is_unsure(scaled: float) -> bool:
        return abs(scaled - round(scaled)) + abs(scaled) * _ERROR >= 0.5

    @property
    def _largest(self) -> float:
        """The greatest magnitude, in steps."""
        return max(abs(self.low), abs(self.high)) * 10.0**self.decimals

    def column(self, values: Iterable[Any], count: int) -> tuple[NDArray[np.int64], Bools | None]:
        given = values if isinstance(values, list) else list(values)
        return self.exact_column(given, count, given.__getitem__)

    def exact_column(self, values: Iterable[Any], count: int, exact: Exact) -> tuple[NDArray[np.int64], Bools | None]:
        given = np.fromiter(values, np.float64, count)
        bad = ~((given >= self.low) & (given <= self.high))  # NaN is bad too
        return self._rounded(np.where(bad, 0.0, given), exact), bad

    def steps(self, values: Iterable[Any], count: int) -> NDArray[np.int64]:
        given = list(values)
        rounded = np.rint(np.fromiter(given, np.float64, count) * 10**self.decimals)
        steps: NDArray[np.int64] = rounded.astype(np.int64)
        for row, value in enumerate(given):
            if type(value) is decimal.Decimal:
                steps[row] = self._step(value)
        return steps

    def _rounded(self, given: NDArray[np.float64], exact: Exact) -> NDArray[np.int64]:
        scaled = given * 10**self.decimals
        rounded = np.rint(scaled)
        steps: NDArray[np.int64] = rounded.astype(np.int64)
        off = np.abs(scaled - rounded)
        if off.max(initial=0.0) + self._largest * _ERROR >= 0.5:  # else none is unsure, and that is the usual batch
            for row in np.flatnonzero(off + np.abs(scaled) * _ERROR >= 0.5).tolist():
                steps[row] = self._step(exact(row))
        return steps

    def _step(self, value: Any) -> int:
        text = value if isinstance(value, decimal.Decimal | int) else repr(float(value))
        unit = decimal.Decimal(1).scaleb(-self.decimals)
        return int(decimal.Decimal(text).quantize(unit, context=_CONTEXT).scaleb(self.decimals, _CONTEXT))

    def refusal(self, value: Any) -> str:
        return f"out of bounds {self.low} to {self.high}: {value!r}"

    @property
    def words(self) -> str:
        return f"Number with {counted(self.decimals, 'decimal')}, {self.low} to {self.high}"

    @property
    def accepts(self) -> str:
        decimals = counted(self.decimals, "decimal")
        return f"a number from {self.low:.15g} to {self.high:.15g}, rounded to {decimals} (half to even)"

    @property
    def example(self) -> Any:
        return round(max(self.low, min(self.high, 25.5)), self.decimals)
