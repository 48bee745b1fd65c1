"""Aggregations: an algebra, never a name to branch on.

An aggregation says which registers it needs of a tile and how they become a value. A register is prepared from one
event, merged with another of its kind in any order to the same bits, and shared by all aggregations of its column:
count, sum, mean and std of a column over four windows keep one count, one sum and one sum of squares per tile.

A new aggregation is a class here: its registers, and the function that makes a value of them. A new kind of register is
a row of the table in `loops/registers.py`.
"""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from shared_features.arguments import Checked
from shared_features.errors import DefinitionError
from shared_features.kernel.loops.finalize import quotient, sample_std
from shared_features.kernel.loops.register_bytes import is_empty
from shared_features.kernel.loops.registers import Register

Words = NDArray[np.int64]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Aggregation(metaclass=Checked):
    """What the kernel asks of an aggregation. A class of this kind is all there is to it; its fields are parameters."""

    name: ClassVar[str]
    """As derived feature names carry it."""
    wording: ClassVar[str]
    """What it is, for a person: `{column}` is the column, `{event}` and `{events}` what has a value there."""
    unit: ClassVar[str | None] = None
    """What its value counts; None: what the column counts."""
    needs_column: ClassVar[bool] = True
    """Whether it is of a column's values; if not, it may be of the events themselves."""
    of_texts: ClassVar[bool] = False
    """Whether it makes sense of texts, which it sees by their codes; if not, it is of numbers."""
    registers: ClassVar[tuple[Register, ...]]
    """What it needs of a tile."""

    @property
    def set_size(self) -> int:
        """How many elements its sets keep, where it has sets."""
        return 0

    @staticmethod
    @abstractmethod
    def finalize(row: Words, at: Words, kept: Hashes, scale: int, as_of_us: int) -> float:
        """The value, from the merged registers of a window. Compiled, so plain numbers and `loops` only.

        Register i of `registers` begins at `row[at[i]]`. A set has its number of words there; `kept[2 * at[i]]` is k,
        and where there are k words `kept[2 * at[i] + 1]` is the greatest of them. `scale`: 10**decimals of the column.
        """


@dataclass(frozen=True)
class Count(Aggregation):
    """How many events have a value in the column, or how many events when there is no column; 0 when none."""

    name = "count"
    of_texts = True
    wording = "number of {events}"
    unit = ""
    registers = (Register.COUNT,)
    needs_column = False

    @staticmethod
    def finalize(row: Words, at: Words, kept: Hashes, scale: int, as_of_us: int) -> float:
        return float(row[at[0]])


@dataclass(frozen=True)
class Sum(Aggregation):
    """The sum; 0.0 of nothing. Exact, rounded once."""

    name = "sum"
    wording = "sum of {column}"
    registers = (Register.SUM,)

    @staticmethod
    def finalize(row: Words, at: Words, kept: Hashes, scale: int, as_of_us: int) -> float:
        return float(quotient(row[at[0]], row[at[0] + 1], scale))


@dataclass(frozen=True)
class Mean(Aggregation):
    """The mean; NaN of nothing. The exact quotient, rounded once."""

    name = "mean"
    wording = "mean of {column}"
    registers = (Register.COUNT, Register.SUM)

    @staticmethod
    def finalize(row: Words, at: Words, kept: Hashes, scale: int, as_of_us: int) -> float:
        count, total = row[at[0]], at[1]
        return float(quotient(row[total], row[total + 1], count * scale)) if count else math.nan


@dataclass(frozen=True)
class Std(Aggregation):
    """The sample standard deviation (n - 1); NaN below two values.

    `sqrt(num / den) / 10**decimals` where num = n * sum(v * v) - sum(v)**2 and den = n * (n - 1) are exact integers.
    """

    name = "std"
    wording = "standard deviation of {column}"
    registers = (Register.COUNT, Register.SUM, Register.SQUARES)

    @staticmethod
    def finalize(row: Words, at: Words, kept: Hashes, scale: int, as_of_us: int) -> float:
        return float(sample_std(row[at[0]], row, at[1], at[2], scale))


@dataclass(frozen=True)
class Min(Aggregation):
    """The smallest value; NaN of nothing."""

    name = "min"
    wording = "smallest {column}"
    registers = (Register.MIN,)

    @staticmethod
    def finalize(row: Words, at: Words, kept: Hashes, scale: int, as_of_us: int) -> float:
        return math.nan if is_empty(row[at[0]]) else float(row[at[0]] / scale)


@dataclass(frozen=True)
class Max(Aggregation):
    """The greatest value; NaN of nothing."""

    name = "max"
    wording = "greatest {column}"
    registers = (Register.MAX,)

    @staticmethod
    def finalize(row: Words, at: Words, kept: Hashes, scale: int, as_of_us: int) -> float:
        return math.nan if is_empty(row[at[0]]) else float(row[at[0]] / scale)


@dataclass(frozen=True)
class First(Aggregation):
    """The value of the earliest event that has one (of ties: smallest digest); NaN when none."""

    name = "first"
    of_texts = True
    wording = "first {column}"
    registers = (Register.FIRST,)

    @staticmethod
    def finalize(row: Words, at: Words, kept: Hashes, scale: int, as_of_us: int) -> float:
        return math.nan if is_empty(row[at[0]]) else float(row[at[0] + 2] / scale)


@dataclass(frozen=True)
class Last(Aggregation):
    """The value of the latest event that has one (of ties: greatest digest); NaN when none."""

    name = "last"
    of_texts = True
    wording = "latest {column}"
    registers = (Register.LAST,)

    @staticmethod
    def finalize(row: Words, at: Words, kept: Hashes, scale: int, as_of_us: int) -> float:
        return math.nan if is_empty(row[at[0]]) else float(row[at[0] + 2] / scale)


@dataclass(frozen=True)
class TimeSinceLast(Aggregation):
    """Seconds from the window's newest event (that has a value, if of a column) to `as_of`; NaN when none."""

    name = "time_since_last"
    of_texts = True
    wording = "time since the latest {event}"
    unit = "seconds"
    registers = (Register.LAST,)
    needs_column = False

    @staticmethod
    def finalize(row: Words, at: Words, kept: Hashes, scale: int, as_of_us: int) -> float:
        return math.nan if is_empty(row[at[0]]) else float((as_of_us - row[at[0]]) / 1e6)


@dataclass(frozen=True)
class ApproxDistinct(Aggregation):
    """How many distinct values, about: exact up to k, then within about 1/sqrt(k); 0 when none.

    The k smallest hashes ("k minimum values", Bar-Yossef et al. 2002; Beyer et al. 2007). A union of two such sets,
    cut to k, is the set of the union, so merging in any order gives the same bits.
    """

    k: int = 256
    name = "approx_distinct"
    of_texts = True
    wording = "approximate number of different values of {column}"
    unit = ""
    registers = (Register.DISTINCT,)

    def __post_init__(self) -> None:
        if not 2 <= self.k <= 4096:
            raise DefinitionError(f"ApproxDistinct(k={self.k}): k must lie in 2..4096; 256 errs by about 6 %")

    @property
    def set_size(self) -> int:
        """The k of the sketch."""
        return self.k

    @staticmethod
    def finalize(row: Words, at: Words, kept: Hashes, scale: int, as_of_us: int) -> float:
        count, size = row[at[0]], np.int64(kept[2 * at[0]])
        if count < size:
            return float(count)
        # The k-th smallest of uniform hashes stands about where k of all of them would.
        return float((size - 1) / (float(kept[2 * at[0] + 1]) * 2.0**-64))
