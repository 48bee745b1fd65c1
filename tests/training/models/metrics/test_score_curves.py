"""The curves are those of scikit-learn, with few of their points."""

from __future__ import annotations

import itertools

import numpy as np

from training.models.metrics.curve_plots import own_plots
from training.models.metrics.score_curves import class_curves, score_curves


def test_the_curves_of_four_scores_are_those_that_a_person_counts() -> None:
    found = score_curves(np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.1, 0.4, 0.35, 0.8]))
    assert found["roc"][0] == [0.0, 0.0]
    assert found["roc"][-1] == [1.0, 1.0]
    assert [0.0, 1.0] in found["precision_recall"]
    assert found["precision_recall"][-1] == [1.0, 0.5], "everything is called positive: half of it is"


def test_many_scores_give_few_points_of_the_curve_itself() -> None:
    random = np.random.default_rng(1)
    label = (random.random(20_000) < 0.1).astype(float)
    found = score_curves(label, label + random.normal(size=20_000))
    assert len(found.pop("calibration")) == 10
    for curve in found.values():
        assert 50 < len(curve) <= 103
        assert all(before[0] <= after[0] for before, after in itertools.pairwise(curve))
    assert found["roc"][0] == [0.0, 0.0]


def test_several_classes_have_a_curve_for_each_frequent_one_against_the_others() -> None:
    """A class without a row has none, and neither has the sixth most frequent one."""
    random = np.random.default_rng(2)
    label = random.choice(8, 5_000, p=[0.05, 0.3, 0.2, 0.15, 0.12, 0.1, 0.08, 0]).astype(float)
    probabilities = random.dirichlet(np.ones(8), 5_000)
    classes = ("rare", "a", "b", "c", "d of roc", "e", "f", "none")
    found = class_curves(label, probabilities, classes)
    named = ("a", "b", "c", "d of roc", "e")
    assert set(found) == {"answers", *(f"{curve} of {name}" for name in named for curve in ("roc", "precision_recall"))}
    assert found["roc of b"] == score_curves((label == 2).astype(float), probabilities[:, 2])["roc"]
    drawn = list(own_plots(found))
    assert [each.count("<li>") for each in drawn] == [5, 5]
    assert "ROC of each class" in drawn[1]
