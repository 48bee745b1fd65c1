"""Each metric with weights is that of scikit-learn with sample weights, ties included, and that of the evaluation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

from tests.training.models.fitted_models import fitted, window_rows
from tests.training.random_dataset import random_dataset
from training.datasets.time_split import TEST
from training.models.comparison.weighted_metrics import weighted_metric
from training.models.metrics.class_metrics import class_metrics
from training.models.metrics.evaluation import evaluate_predictions
from training.models.predictions import predicted
from training.models.task_rules import RULES

_RANDOM = np.random.default_rng(11)
ROWS = 400
WEIGHTS = _RANDOM.poisson(1.0, ROWS).astype(np.float64)
LABEL = (_RANDOM.random(ROWS) < 0.2).astype(np.float64)
SCORE = np.round(np.clip(LABEL * 0.3 + _RANDOM.random(ROWS) * 0.7, 0.001, 0.999), 2)  # with ties
CODE = _RANDOM.integers(0, 3, ROWS).astype(np.float64)
PROBABILITIES = _RANDOM.dirichlet((1, 1, 1), ROWS)
VALUE = _RANDOM.normal(size=ROWS)
OF_VALUES = VALUE + _RANDOM.normal(size=ROWS)

Sklearn = Callable[..., Any]
CASES: list[tuple[str, NDArray[Any], NDArray[Any], Sklearn]] = [
    ("roc_auc", LABEL, SCORE, metrics.roc_auc_score),
    ("average_precision", LABEL, SCORE, metrics.average_precision_score),
    ("log_loss", LABEL, SCORE, metrics.log_loss),
    ("brier_score", LABEL, SCORE, metrics.brier_score_loss),
    ("r2", VALUE, OF_VALUES, metrics.r2_score),
    ("mae", VALUE, OF_VALUES, metrics.mean_absolute_error),
    ("rmse", VALUE, OF_VALUES, metrics.root_mean_squared_error),
    ("log_loss", CODE, PROBABILITIES, metrics.log_loss),
    (
        "accuracy",
        CODE,
        PROBABILITIES,
        lambda label, given, sample_weight: metrics.accuracy_score(label, given.argmax(1), sample_weight=sample_weight),
    ),
    (
        "f1_macro",
        CODE,
        PROBABILITIES,
        lambda label, given, sample_weight: metrics.f1_score(
            label, given.argmax(1), average="macro", sample_weight=sample_weight
        ),
    ),
    (
        "roc_auc_macro",
        CODE,
        PROBABILITIES,
        lambda label, given, sample_weight: np.mean(
            [metrics.roc_auc_score(label == each, given[:, each], sample_weight=sample_weight) for each in range(3)]
        ),
    ),
    (
        "average_precision_macro",
        CODE,
        PROBABILITIES,
        lambda label, given, sample_weight: np.mean(
            [
                metrics.average_precision_score(label == each, given[:, each], sample_weight=sample_weight)
                for each in range(3)
            ]
        ),
    ),
]


@pytest.mark.parametrize(("metric", "label", "given", "sklearn"), CASES)
def test_a_weighted_metric_is_that_of_scikit_learn(
    metric: str, label: NDArray[Any], given: NDArray[Any], sklearn: Sklearn
) -> None:
    assert weighted_metric(metric, label, given)(WEIGHTS) == pytest.approx(
        float(sklearn(label, given, sample_weight=WEIGHTS)), rel=1e-9
    )


@pytest.mark.parametrize("metric", RULES["binary"].metrics)
def test_with_weights_of_one_a_metric_is_that_of_the_evaluation(metric: str) -> None:
    dataset = random_dataset()
    score = predicted(fitted("random_forest"), window_rows())
    want = evaluate_predictions(dataset, score, 5)[metric]
    label = dataset.label[dataset.rows(TEST)]
    assert weighted_metric(metric, label, score)(np.ones(len(label))) == pytest.approx(want, rel=1e-9)


@pytest.mark.parametrize("metric", RULES["multiclass"].metrics)
def test_so_is_a_metric_of_several_classes(metric: str) -> None:
    want = class_metrics(CODE, PROBABILITIES, ("a", "b", "c"))[metric]
    assert weighted_metric(metric, CODE, PROBABILITIES)(np.ones(ROWS)) == pytest.approx(want, rel=1e-9)


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision", "r2"])
def test_rows_of_one_class_tell_nothing(metric: str) -> None:
    same = np.zeros(10)
    assert np.isnan(weighted_metric(metric, same, SCORE[:10])(np.ones(10)))
