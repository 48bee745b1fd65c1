"""The fields of an event: a name, a type with its bounds, and whether it may be missing.

Inside Millrace every number of an event is a whole number: a `Decimal` field of two decimals is counted in
hundredths, a `Boolean` is 0 or 1, a `Timestamp` is microseconds since the epoch. Whole numbers are what makes
sums independent of the order in which they are taken.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from shared_features.errors import DefinitionError
from shared_features.kernel.feature_spec import MAX_DECIMALS, MAX_VALUE

MAX_MAGNITUDE = MAX_VALUE
"""Largest scaled magnitude of a value: exact in a float64, and 2**23 squares of it fit 128 bits."""


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number, `low <= value <= high`."""

    low: int = -MAX_MAGNITUDE
    high: int = MAX_MAGNITUDE

    @property
    def decimals(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Decimal:
    """A number kept at a fixed count of decimals, `low <= value <= high`; finer input is rounded half to even."""

    decimals: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Boolean:
    """True or false; aggregated as 1 and 0."""

    @property
    def decimals(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Timestamp:
    """An instant. On the wire an epoch integer in `unit`, or an RFC 3339 text with an offset."""

    unit: Literal["us", "ms", "s", "rfc3339"] = "us"

    @property
    def decimals(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Text:
    """A text of at most `max_length` characters. Aggregations see its 52-bit code (`kernel.hashing`)."""

    max_length: int = 256

    @property
    def decimals(self) -> int:
        return 0


FieldType = Integer | Decimal | Boolean | Timestamp | Text


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an event. A field that is not `optional` must be there in every event.

    `description`: what it is, in one sentence. `unit`: what its numbers count, as in "euro". Both document;
    changing them changes nothing that is stored.
    """

    name: str
    type: FieldType
    optional: bool = False
    description: str = field(default="", kw_only=True, compare=False)
    unit: str = field(default="", kw_only=True, compare=False)

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise DefinitionError(f"field {self.name!r}: a field name is a Python identifier; rename it")
        if isinstance(self.type, Decimal | Integer):
            self._check_bounds(self.type)

    def _check_bounds(self, kind: Decimal | Integer) -> None:
        if not 0 <= kind.decimals <= MAX_DECIMALS:
            raise DefinitionError(f"field {self.name!r}: decimals is {kind.decimals}; give 0 to {MAX_DECIMALS}")
        if not kind.low <= kind.high:
            raise DefinitionError(f"field {self.name!r}: low {kind.low} is above high {kind.high}; swap them")
        if max(abs(kind.low), abs(kind.high)) * 10**kind.decimals > MAX_MAGNITUDE:
            raise DefinitionError(
                f"field {self.name!r}: bounds {kind.low} to {kind.high} at {kind.decimals} decimals exceed "
                f"{MAX_MAGNITUDE} steps; narrow the bounds or keep fewer decimals"
            )

    @property
    def is_text(self) -> bool:
        return isinstance(self.type, Text)

    @property
    def scale(self) -> int:
        """How many steps make one unit: 100 for two decimals."""
        return int(10**self.type.decimals)
