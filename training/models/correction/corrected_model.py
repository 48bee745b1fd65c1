"""A fitted pipeline whose probabilities are corrected, one correction after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from training.models.correction.calibration import Isotonic, Platt
from training.models.correction.odds import DividedShares, ScaledOdds
from training.models.correction.one_versus_rest import OneVersusRest

Matrix = NDArray[np.float32]
Correction = ScaledOdds | DividedShares | Isotonic | Platt | OneVersusRest


class CorrectedModel:
    """Answers as a classifier of scikit-learn does."""

    def __init__(self, pipeline: Pipeline, corrections: tuple[Correction, ...]) -> None:
        self.pipeline = pipeline
        self.corrections = corrections

    def predict_proba(self, matrix: Matrix) -> NDArray[np.float32]:
        """float32[n, classes]"""
        return self.corrected(np.asarray(self.pipeline.predict_proba(matrix), np.float32))

    def corrected(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32[n, classes], from those of the pipeline."""
        if not self.corrections or any(isinstance(each, DividedShares | OneVersusRest) for each in self.corrections):
            return self.answered(probabilities)
        scores = self.answered(probabilities[:, 1])
        return np.column_stack([1 - scores, scores])

    def answered(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32[n], or [n, classes] of several: what the graph answers where the pipeline's part gives this."""
        for each in self.corrections:
            scores = each.apply(scores)
        return scores


def pipeline_of(model: Pipeline | CorrectedModel) -> Pipeline:
    """What is fitted before any correction."""
    return model.pipeline if isinstance(model, CorrectedModel) else model


def corrections_of(model: Any) -> tuple[Correction, ...]:
    return model.corrections if isinstance(model, CorrectedModel) else ()
