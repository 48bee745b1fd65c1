"""A calibration: from the score of a model to how often rows of that score are positive.

After Niculescu-Mizil, Caruana, *Predicting Good Probabilities With Supervised Learning* (ICML 2005). Both are
computed in float64 from the score as the graph gives it, so that the graph computes the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from training.models.correction.graph_nodes import GraphNodes
from training.models.search_tree import DOMAIN, OPERATOR, search_tree

Scores = NDArray[np.float32]
Floats = NDArray[np.float64]
_LEAST = 1e-7
"""Scores are held between this and 1 less this, before their odds are taken."""


@dataclass(frozen=True)
class Isotonic:
    """Lines between thresholds, that never fall; before the first threshold, and behind the last, it is level.

    thresholds: float32[n], sorted. heights: float64[n], at the thresholds.
    """

    thresholds: Scores
    heights: Floats
    says: str = ""

    def apply(self, scores: Scores) -> Scores:
        """float32[n]. At a threshold exactly its height, rounded to a float32."""
        line = np.searchsorted(self.thresholds, scores, side="left")
        end, height, slope = (each[line] for each in self._lines())
        return (height + (scores.astype(np.float64) - end) * slope).astype(np.float32)

    def graph(self, scores: str, nodes: GraphNodes) -> str:
        """A tree finds the line, and its end, height and slope are looked up."""
        column = nodes.add("Reshape", scores, nodes.constant(np.array([-1, 1])))
        found = nodes.add(OPERATOR, column, domain=DOMAIN, **search_tree(self.thresholds))
        line = nodes.add("Cast", nodes.add("Reshape", found, nodes.constant(np.array([-1]))), to=7)
        end, height, slope = (nodes.add("Gather", nodes.constant(each), line, axis=0) for each in self._lines())
        risen = nodes.add("Mul", nodes.add("Sub", nodes.wide(scores), end), slope)
        return nodes.float32(nodes.add("Add", height, risen))

    def _lines(self) -> tuple[Floats, Floats, Floats]:
        """float64[n + 1]: the end of each line on the right, its height there, its slope."""
        ends = self.thresholds.astype(np.float64)
        slopes = np.diff(self.heights) / np.diff(ends)
        level = np.zeros(1)
        ends, heights = (np.append(each, each[-1:]) for each in (ends, self.heights))
        return ends, heights, np.concatenate([level, slopes, level])


@dataclass(frozen=True)
class Platt:
    """The logistic function of `slope` times the logarithm of the score's odds, plus `intercept`."""

    slope: float
    intercept: float
    says: str = ""

    def apply(self, scores: Scores) -> Scores:
        """float32[n]"""
        found: Scores = expit(self.slope * _log_odds(scores) + self.intercept).astype(np.float32)
        return found

    def graph(self, scores: str, nodes: GraphNodes) -> str:
        least, most = (nodes.constant(np.array(each)) for each in (_LEAST, 1.0 - _LEAST))
        held = nodes.add("Min", nodes.add("Max", nodes.wide(scores), least), most)
        other = nodes.add("Sub", nodes.constant(np.array(1.0)), held)
        odds = nodes.add("Sub", nodes.add("Log", held), nodes.add("Log", other))
        risen = nodes.add("Mul", odds, nodes.constant(np.array(self.slope)))
        return nodes.float32(nodes.add("Sigmoid", nodes.add("Add", risen, nodes.constant(np.array(self.intercept)))))


Calibration = Isotonic | Platt


def fit_isotonic(scores: Scores, positive: NDArray[np.bool_]) -> Isotonic:
    """Isotonic regression by least squares. No row is certain: heights are within 1 / (n + 2) of 0 and 1."""
    least = 1 / (len(scores) + 2)
    fitted = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip")
    fitted.fit(scores.astype(np.float64), positive.astype(np.float64))
    thresholds = fitted.X_thresholds_.astype(np.float32)
    return Isotonic(thresholds, np.asarray(fitted.y_thresholds_, np.float64))


def fit_platt(scores: Scores, positive: NDArray[np.bool_]) -> Platt:
    """The most likely slope and intercept; as Platt does, a label counts as certain as its number of rows allows."""
    positives, negatives = int(positive.sum()), int((~positive).sum())
    wanted = np.where(positive, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    odds = _log_odds(scores)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        risen = parameters[0] * odds + parameters[1]
        error = expit(risen) - wanted
        return float(np.mean(np.logaddexp(0, risen) - wanted * risen)), np.array(
            [np.mean(error * odds), np.mean(error)]
        )

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-9})
    return Platt(float(found.x[0]), float(found.x[1]))


def _log_odds(scores: Scores) -> Floats:
    held = np.minimum(np.maximum(scores.astype(np.float64), _LEAST), 1.0 - _LEAST)
    found: Floats = np.log(held) - np.log(1.0 - held)
    return found
