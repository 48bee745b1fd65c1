"""A tree ensemble: what it answers for rows is computed from the sums of its trees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared_features.trees.answers import ANSWERS
from shared_features.trees.flat_trees import FlatTrees, Matrix


@dataclass(frozen=True)
class TreeEnsemble:
    """divisor: of the sums; 1, or how many trees there are. base: float32[targets] or [1], added to them.

    answer: a name of `ANSWERS`: from that, float32[n, targets], to what it gives.
    """

    trees: FlatTrees
    base: Matrix
    divisor: np.float32
    answer: str

    def run(self, rows: Matrix) -> Matrix:
        """rows: float32[n, columns]. The bits that ONNX Runtime gives."""
        sums = self.trees.sums(rows)
        if self.divisor != 1:
            sums /= self.divisor
        return ANSWERS[self.answer](sums + self.base)
