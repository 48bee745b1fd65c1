"""Aggregations of counts, sums and sums of squares: all exact integers, rounded once at the end."""

import math
from dataclasses import dataclass

from shared_features.kernel.aggregations.aggregation import Aggregation, Hashes, Words
from shared_features.kernel.loops.finalize import quotient, sample_std
from shared_features.kernel.loops.registers import Register


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
