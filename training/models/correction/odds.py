"""Probabilities of a model that was fitted on other shares of the classes than there are, set right.

After Elkan, *The Foundations of Cost-Sensitive Learning* (IJCAI 2001), and Dal Pozzolo, Caelen, Johnson, Bontempi,
*Calibrating Probability with Undersampling for Unbalanced Classification* (SSCI 2015).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.models.correction.graph_nodes import GraphNodes

Scores = NDArray[np.float32]


@dataclass(frozen=True)
class ScaledOdds:
    """Of two classes: the odds of the second one, times a factor. says: what for."""

    factor: float
    says: str = ""

    def apply(self, scores: Scores) -> Scores:
        """float32[n], each from 0 to 1"""
        wide = scores.astype(np.float64)
        odds = wide * self.factor
        return (odds / (odds + (1.0 - wide))).astype(np.float32)

    def graph(self, scores: str, nodes: GraphNodes) -> str:
        wide = nodes.wide(scores)
        odds = nodes.add("Mul", wide, nodes.constant(np.array(self.factor)))
        other = nodes.add("Sub", nodes.constant(np.array(1.0)), wide)
        return nodes.float32(nodes.add("Div", odds, nodes.add("Add", odds, other)))


@dataclass(frozen=True)
class DividedShares:
    """Of several classes: the probability of each, divided by its weight; their sum is 1 again. says: what for."""

    weights: tuple[float, ...]
    says: str = ""

    def apply(self, scores: Scores) -> Scores:
        """float32[n, classes]"""
        shares = scores.astype(np.float64) / np.array(self.weights)
        total = np.zeros((len(scores), 1))
        for column in shares.T:  # one after the other, as the graph adds
            total += column[:, None]
        found: Scores = (shares / total).astype(np.float32)
        return found

    def graph(self, scores: str, nodes: GraphNodes) -> str:
        shares = nodes.add("Div", nodes.wide(scores), nodes.constant(np.array(self.weights)))
        count = len(self.weights)
        columns = nodes.add("Split", shares, outputs=count, axis=1, num_outputs=count)
        return nodes.float32(nodes.add("Div", shares, nodes.add("Sum", *columns)))
