"""A calibration of several classes: each against all others, as scikit-learn's CalibratedClassifierCV does.

After Zadrozny, Elkan, *Transforming Classifier Scores into Accurate Multiclass Probability Estimates* (KDD 2002).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.models.correction.calibration import Calibration
from training.models.correction.graph_nodes import GraphNodes

Scores = NDArray[np.float32]


@dataclass(frozen=True)
class OneVersusRest:
    """calibrations: of each class, from its probability to how often a row is of it. Their sum is 1 again."""

    calibrations: tuple[Calibration, ...]
    says: str = ""

    def apply(self, scores: Scores) -> Scores:
        """float32[n, classes]. Equal shares where no class is left with any."""
        found = [each.apply(scores[:, at]) for at, each in enumerate(self.calibrations)]
        total = np.zeros(len(scores))
        for column in found:  # one after the other, as the graph adds
            total += column
        count = len(found)
        with np.errstate(invalid="ignore"):
            shares = np.column_stack(found).astype(np.float64) / total[:, None]
        answer: Scores = np.where(total[:, None] == 0, 1 / count, shares).astype(np.float32)
        return answer

    def graph(self, scores: str, nodes: GraphNodes) -> str:
        count, level, upright = len(self.calibrations), np.array([-1]), np.array([-1, 1])
        given = nodes.add("Split", scores, outputs=count, axis=1, num_outputs=count)
        found = []
        for column, each in zip(given, self.calibrations, strict=True):
            calibrated = each.graph(nodes.add("Reshape", column, nodes.constant(level)), nodes)
            found.append(nodes.wide(nodes.add("Reshape", calibrated, nodes.constant(upright))))
        total = nodes.add("Sum", *found)
        shares = nodes.add("Div", nodes.add("Concat", *found, axis=1), total)
        none = nodes.add("Equal", total, nodes.constant(np.array(0.0)))
        return nodes.float32(nodes.add("Where", none, nodes.constant(np.array(1 / count)), shares))
