"""A tree ensemble: what it answers for rows is computed from the sums of its trees."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from shared_features.trees.answer_loops import COMPLEMENT, LOGISTIC, SOFTMAX, SUMS, TWO_SIDES, answer
from shared_features.trees.few_rows import FewRows
from shared_features.trees.flat_trees import FlatTrees, Matrix

FEW = 16
"""Up to so many rows are walked by `FewRows`: it takes less time for them than blocks of 64 rows do."""
ANSWERS = {"sums": SUMS, "logistic": LOGISTIC, "softmax": SOFTMAX, "complement": COMPLEMENT, "two_sides": TWO_SIDES}
"""What is answered for the sums, by name."""


def width_of(answer: str, sums: int) -> int:
    """How many numbers are answered for so many sums of a row. answer: a name of `ANSWERS`."""
    return 2 if ANSWERS[answer] in (COMPLEMENT, TWO_SIDES) else sums


@dataclass(frozen=True)
class TreeEnsemble:
    """base: float32[targets], added to the sums. divisor: of the sums before; 1, or how many trees there are.

    answer: a name of `ANSWERS`.
    """

    trees: FlatTrees
    base: Matrix
    divisor: np.float32
    answer: str

    @property
    def width(self) -> int:
        """How many numbers it answers for a row."""
        return width_of(self.answer, len(self.trees.sure))

    def run(self, rows: Matrix) -> Matrix:
        """float32[n, width] of float32[n, columns]. The bits that ONNX Runtime gives.

        Raises ManifestMismatchError where the trees read a column that the rows lack.
        """
        if not (rows.flags.c_contiguous and rows.flags.writeable):
            rows = np.array(rows, order="C")  # of another kind, for which Numba would compile the loops again
        found = np.empty((len(rows), self.width), np.float32)
        few = self._few if len(rows) <= FEW else None
        if few is not None:
            self.trees.check(rows)
            few.put(rows, found)
        else:
            answer(self.trees.sums(rows), self.base, self.divisor, ANSWERS[self.answer], found)
        return found

    @cached_property
    def _few(self) -> FewRows | None:
        try:
            return FewRows(self.trees, self.base, self.divisor, ANSWERS[self.answer])
        except OverflowError:
            return None
