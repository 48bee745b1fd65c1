"""Numbers of a fixed count of decimals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from shared_features.definitions.field_types.field_type import Bools, FieldType, bounds_contradiction, counted
from shared_features.kernel.feature_spec import MAX_DECIMALS


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

    def column(self, values: Iterable[Any], count: int) -> tuple[NDArray[np.int64], Bools | None]:
        given = np.fromiter(values, np.float64, count)
        bad = ~((given >= self.low) & (given <= self.high))  # NaN is bad too
        return self._rounded(np.where(bad, 0.0, given)), bad

    def steps(self, values: Iterable[Any], count: int) -> NDArray[np.int64]:
        return self._rounded(np.fromiter(values, np.float64, count))

    def _rounded(self, given: NDArray[np.float64]) -> NDArray[np.int64]:
        rounded: NDArray[np.int64] = np.rint(given * 10**self.decimals).astype(np.int64)
        return rounded

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
