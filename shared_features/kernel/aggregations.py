"""Aggregations: an algebra, never a name to branch on.

An aggregation says which registers it needs of a tile and how they become a value. A register is prepared from one
event, merged with another of its kind in any order to the same bits, and shared by all aggregations of its column:
count, sum, mean and std of a column over four windows keep one count, one sum and one sum of squares per tile.

A new aggregation is a class made of registers here. A new way of finishing is one more `Finalize`, with its line in
`finalize.py`; a new kind of register is one more `Register`, with its loops in `registers.py`.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Protocol

from shared_features.errors import DefinitionError

UNBOUNDED = 1 << 62
"""The size of a set that keeps everything."""


class Register(IntEnum):
    """What a tile keeps of a column (or of the events themselves); the order is that of the words in a tile."""

    COUNT = 0  # events with a value
    SUM = 1  # of values, exact
    SQUARES = 2  # sum of squared values, exact
    MIN = 3
    MAX = 4
    FIRST = 5  # (event time, digest, value), smallest
    LAST = 6  # (event time, digest, value), greatest
    DISTINCT = 7  # the k smallest hashes of values: a set, kept beside the words


REGISTER_WORDS = {
    Register.COUNT: 1,
    Register.SUM: 2,
    Register.SQUARES: 2,
    Register.MIN: 1,
    Register.MAX: 1,
    Register.FIRST: 3,
    Register.LAST: 3,
    Register.DISTINCT: 0,
}


class Finalize(IntEnum):
    """How registers become a value; each reads the registers its aggregation lists, in that order."""

    COUNT = 0
    SUM = 1
    MEAN = 2
    SAMPLE_STD = 3
    EXTREME = 4  # a register that is empty, or the value itself
    TIMED_VALUE = 5  # the value of a (time, digest, value) register
    SECONDS_SINCE = 6  # from the time of a (time, digest, value) register to as_of
    DISTINCT = 7


class Aggregation(Protocol):
    """What the kernel asks of an aggregation."""

    @property
    def name(self) -> str:
        """As derived feature names carry it."""

    @property
    def wording(self) -> str:
        """What it is, for a person: `{column}` is the column, `{event}` and `{events}` what has a value there."""

    @property
    def unit(self) -> str | None:
        """What its value counts; None: what the column counts."""

    @property
    def needs_column(self) -> bool:
        """Whether it is of a column's values; if not, it is of the events themselves."""

    @property
    def registers(self) -> tuple[Register, ...]:
        """What it needs of a tile."""

    @property
    def finalize(self) -> Finalize:
        """How that becomes its value."""

    @property
    def set_size(self) -> int:
        """How many elements its sets keep, where it has sets."""


@dataclass(frozen=True)
class _OfRegisters:
    """An aggregation without parameters."""

    name: ClassVar[str]
    wording: ClassVar[str]
    unit: ClassVar[str | None] = None
    registers: ClassVar[tuple[Register, ...]]
    finalize: ClassVar[Finalize]
    needs_column: ClassVar[bool] = True
    set_size: ClassVar[int] = 0


@dataclass(frozen=True)
class Count(_OfRegisters):
    """How many events have a value in the column, or how many events when there is no column; 0 when none."""

    name = "count"
    wording = "number of {events}"
    unit = ""
    registers = (Register.COUNT,)
    finalize = Finalize.COUNT
    needs_column = False


@dataclass(frozen=True)
class Sum(_OfRegisters):
    """The sum; 0.0 of nothing. Exact, rounded once."""

    name = "sum"
    wording = "sum of {column}"
    registers = (Register.SUM,)
    finalize = Finalize.SUM


@dataclass(frozen=True)
class Mean(_OfRegisters):
    """The mean; NaN of nothing. The exact quotient, rounded once."""

    name = "mean"
    wording = "mean of {column}"
    registers = (Register.COUNT, Register.SUM)
    finalize = Finalize.MEAN


@dataclass(frozen=True)
class Std(_OfRegisters):
    """The sample standard deviation (n - 1); NaN below two values.

    `sqrt(num / den) / 10**decimals` where num = n * sum(v * v) - sum(v)**2 and den = n * (n - 1) are exact integers.
    """

    name = "std"
    wording = "standard deviation of {column}"
    registers = (Register.COUNT, Register.SUM, Register.SQUARES)
    finalize = Finalize.SAMPLE_STD


@dataclass(frozen=True)
class Min(_OfRegisters):
    """The smallest value; NaN of nothing."""

    name = "min"
    wording = "smallest {column}"
    registers = (Register.MIN,)
    finalize = Finalize.EXTREME


@dataclass(frozen=True)
class Max(_OfRegisters):
    """The greatest value; NaN of nothing."""

    name = "max"
    wording = "greatest {column}"
    registers = (Register.MAX,)
    finalize = Finalize.EXTREME


@dataclass(frozen=True)
class First(_OfRegisters):
    """The value of the earliest event that has one (of ties: smallest digest); NaN when none."""

    name = "first"
    wording = "first {column}"
    registers = (Register.FIRST,)
    finalize = Finalize.TIMED_VALUE


@dataclass(frozen=True)
class Last(_OfRegisters):
    """The value of the latest event that has one (of ties: greatest digest); NaN when none."""

    name = "last"
    wording = "latest {column}"
    registers = (Register.LAST,)
    finalize = Finalize.TIMED_VALUE


@dataclass(frozen=True)
class TimeSinceLast(_OfRegisters):
    """Seconds from the window's newest event (that has a value, if of a column) to `as_of`; NaN when none."""

    name = "time_since_last"
    wording = "time since the latest {event}"
    unit = "seconds"
    registers = (Register.LAST,)
    finalize = Finalize.SECONDS_SINCE
    needs_column = False


@dataclass(frozen=True)
class ApproxDistinct:
    """How many distinct values, about: exact up to k, then within about 1/sqrt(k); 0 when none.

    The k smallest hashes ("k minimum values", Bar-Yossef et al. 2002; Beyer et al. 2007). A union of two such sets,
    cut to k, is the set of the union, so merging in any order gives the same bits.
    """

    k: int = 256
    name: ClassVar[str] = "approx_distinct"
    wording: ClassVar[str] = "approximate number of different values of {column}"
    unit: ClassVar[str | None] = ""
    registers: ClassVar[tuple[Register, ...]] = (Register.DISTINCT,)
    finalize: ClassVar[Finalize] = Finalize.DISTINCT
    needs_column: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 2 <= self.k <= 4096:
            raise DefinitionError(f"ApproxDistinct(k={self.k}): k must lie in 2..4096; 256 errs by about 6 %")

    @property
    def set_size(self) -> int:
        """The k of the sketch."""
        return self.k
