"""The metrics of several classes are those of scikit-learn, and say nothing where the rows cannot tell."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss, precision_score, recall_score, roc_auc_score

from training.models.metrics.class_metrics import class_metrics, in_order

CLASSES = ("late", "lost", "on_time")


def test_the_metrics_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    label = random.integers(0, 3, 500).astype(np.float64)
    given = random.dirichlet(np.ones(3), 500)
    given[np.arange(500), label.astype(int)] += 0.3
    given /= given.sum(axis=1, keepdims=True)
    answered = given.argmax(axis=1)
    found = class_metrics(label, given, CLASSES)
    assert found["log_loss"] == pytest.approx(log_loss(label, given))
    assert found["accuracy"] == pytest.approx(accuracy_score(label, answered))
    assert found["f1_macro"] == pytest.approx(f1_score(label, answered, average="macro"))
    assert found["roc_auc_macro"] == pytest.approx(roc_auc_score(label, given, multi_class="ovr", average="macro"))
    for code, name in enumerate(CLASSES):
        each = found["per_class"][name]
        assert each["rows"] == (label == code).sum()
        assert each["precision"] == pytest.approx(precision_score(label == code, answered == code))
        assert each["recall"] == pytest.approx(recall_score(label == code, answered == code))
        assert sum(each["answered"].values()) == each["rows"]


def test_a_class_without_rows_has_no_say_in_the_mean() -> None:
    given = np.array([[0.9, 0.0, 0.1], [0.2, 0.0, 0.8], [0.6, 0.0, 0.4]])
    found = class_metrics(np.array([0.0, 2.0, 0.0]), given, CLASSES)
    assert found["per_class"]["lost"] == {
        "rows": 0, "precision": None, "recall": None, "f1": None, "roc_auc": None, "average_precision": None,
        "answered": {},
    }  # fmt: skip
    assert found["f1_macro"] == found["roc_auc_macro"] == found["average_precision_macro"] == 1.0


def test_a_class_that_was_thought_impossible_costs_much_and_not_everything() -> None:
    found = class_metrics(np.array([1.0, 0.0]), np.array([[1.0, 0.0], [1.0, 0.0]]), ("a", "b"))
    assert found["log_loss"] == pytest.approx(log_loss([1, 0], [[1.0, 0.0], [1.0, 0.0]]))
    assert 10 < found["log_loss"] < 40


def test_probabilities_of_another_model_are_put_under_our_classes_by_name() -> None:
    theirs = np.array([[0.7, 0.3]])
    assert in_order(theirs, ("on_time", "late"), CLASSES).tolist() == [[0.3, 0.0, 0.7]]
