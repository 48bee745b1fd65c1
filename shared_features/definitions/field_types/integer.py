"""Whole numbers, and the one way in which stores spell them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from shared_features.definitions.field_types.field_type import (
    MAX_MAGNITUDE,
    Bools,
    FieldType,
    KeyPart,
    bounds_contradiction,
)

_INT64 = np.iinfo(np.int64)
_MOST_DIGITS = 1000  # a longer text is not an int64, even with leading zeros

WIRE_INT = Annotated[int, Meta(ge=int(_INT64.min), le=int(_INT64.max))]


@dataclass(frozen=True, slots=True)
class Integer(FieldType):
    """A whole number, `low <= value <= high`."""

    low: int = -MAX_MAGNITUDE
    high: int = MAX_MAGNITUDE

    key_part: ClassVar[KeyPart | None] = "number"

    def contradiction(self) -> str | None:
        return bounds_contradiction(self.low, self.high, 0)

    @property
    def wire(self) -> Any:
        return WIRE_INT

    @property
    def bounded(self) -> Any:
        return Annotated[int, Meta(ge=self.low, le=self.high)]

    def column(self, values: Iterable[Any], count: int) -> tuple[NDArray[np.int64], Bools | None]:
        column = self.steps(values, count)
        return column, (column < self.low) | (column > self.high)

    def steps(self, values: Iterable[Any], count: int) -> NDArray[np.int64]:
        return np.fromiter(values, np.int64, count)

    def refusal(self, value: Any) -> str:
        return f"out of bounds {self.low} to {self.high}: {value!r}"

    def spelled_key(self, part: str) -> str | None:
        return whole_number(part)

    @property
    def words(self) -> str:
        low, high = self.low != Integer().low, self.high != Integer().high
        if low and high:
            return f"Whole number, {self.low} to {self.high}"
        return "Whole number" + (f", {self.low} or more" if low else f", {self.high} or less" if high else "")

    @property
    def accepts(self) -> str:
        return f"a whole number from {self.low} to {self.high}"

    @property
    def example(self) -> Any:
        return max(self.low, min(self.high, 42))


def whole_number(text: str) -> str | None:
    """A whole number as every store spells it, without leading zeros. None: no whole number, or one too large.

    >>> whole_number("007"), whole_number("-0"), whole_number("7.0")
    ('7', '0', None)
    """
    digits = text.removeprefix("-")
    if not digits.isdecimal() or len(digits) > _MOST_DIGITS:
        return None
    number = int(text)
    return str(number) if _INT64.min <= number <= _INT64.max else None
