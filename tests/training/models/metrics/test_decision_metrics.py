"""What comes of a threshold is measured as serving decides."""

import numpy as np

from training.models.metrics.decision_metrics import decision_metrics


def test_precision_and_recall_are_those_of_the_decisions_that_serving_would_make():
    label = np.array([1.0, 0, 1, 0, 1])
    score = np.array([0.9, 0.5, 0.5, 0.1, 0.2])
    assert decision_metrics(label, score, 0.5) == {"threshold": 0.5, "positive": 3, "precision": 2 / 3, "recall": 2 / 3}
    assert decision_metrics(label, np.zeros(5), 0.5)["precision"] is None
    assert decision_metrics(np.zeros(5), score, 0.5)["recall"] is None


def test_a_score_counts_as_the_float32_that_is_served():
    assert decision_metrics(np.ones(1), np.array([0.7]), 0.7)["positive"] == 0
