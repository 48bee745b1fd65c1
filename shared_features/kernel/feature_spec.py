"""Feature specs: a feature as the kernel knows it, an aggregation of a column of numbers over a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared_features.errors import DefinitionError

if TYPE_CHECKING:
    from shared_features.kernel.aggregations import Aggregation  # at run time it would load numba

MAX_DECIMALS = 9
"""The most decimals of a fixed-point value."""
MAX_VALUE = 1 << 52
"""The greatest magnitude of a fixed-point value; 2**23 events of it in one window are still exact."""


@dataclass(frozen=True)
class Column:
    """A column of fixed-point numbers: a value v stands for v / 10**decimals. |v| <= 2**52."""

    name: str
    decimals: int

    def __post_init__(self) -> None:
        if not 0 <= self.decimals <= MAX_DECIMALS:
            raise DefinitionError(
                f"column {self.name!r} has {self.decimals} decimals; declare between 0 and {MAX_DECIMALS}"
            )


@dataclass(frozen=True)
class FeatureSpec:
    """One aggregation of one column (None: of the events themselves) over one window."""

    name: str
    aggregation: Aggregation
    column: int | None
    length_us: int
    hop_us: int

    def __post_init__(self) -> None:
        if self.hop_us < 1 or self.length_us < 1:
            raise DefinitionError(
                f"feature {self.name!r}: length {self.length_us} us and hop {self.hop_us} us must both be positive"
            )
        if self.aggregation.needs_column and self.column is None:
            raise DefinitionError(f"feature {self.name!r}: {self.aggregation.name} needs a column; name one")
