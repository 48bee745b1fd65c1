"""Aggregations of the smallest and the greatest value."""

import math
from dataclasses import dataclass

from shared_features.kernel.aggregations.aggregation import Aggregation, Hashes, Words
from shared_features.kernel.loops.register_bytes import is_empty
from shared_features.kernel.loops.registers import Register


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
