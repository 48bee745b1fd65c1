"""Aggregations of sets: how many different values there are."""

from dataclasses import dataclass

import numpy as np

from shared_features.errors import DefinitionError
from shared_features.kernel.aggregations.aggregation import Aggregation, Hashes, Words
from shared_features.kernel.loops.registers import Register


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
