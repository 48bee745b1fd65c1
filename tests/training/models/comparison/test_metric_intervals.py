from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training.models.comparison.test_paired_bootstrap import rows
from training.models.comparison.metric_intervals import metric_intervals
from training.models.task_rules import RULES


def width(found: dict[str, Any], metric: str) -> float:
    low, high = found["metrics"][metric]
    return float(high - low)


def test_the_interval_of_a_mean_is_as_wide_as_statistics_says() -> None:
    random = np.random.default_rng(1)
    value = random.normal(0, 1, 2_000)
    found = metric_intervals(("mae",), np.zeros(2_000), value, np.arange(2_000))
    low, high = found["metrics"]["mae"]
    assert low < np.abs(value).mean() < high
    assert high - low == pytest.approx(2 * 1.96 * np.abs(value).std() / np.sqrt(2_000), rel=0.2)


@pytest.mark.parametrize("metric", RULES["binary"].metrics)
def test_every_metric_of_scores_lies_in_an_interval_that_more_rows_make_narrower(metric: str) -> None:
    few, many = (metric_intervals((metric,), *some(count)) for count in (300, 6_000))
    assert 0 < width(many, metric) < width(few, metric) / 2


def some(count: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    label, good, _, entity = rows(count, 2)
    return label, good, entity


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_the_other_tasks_have_intervals_of_each_of_their_metrics(task: str) -> None:
    random = np.random.default_rng(3)
    label = random.integers(0, 3, 400).astype(np.float64)
    given = random.dirichlet((1, 1, 1), 400) if task == "multiclass" else label + random.normal(0, 0.5, 400)
    found = metric_intervals(RULES[task].metrics, label, given, np.arange(400))
    assert list(found["metrics"]) == list(RULES[task].metrics)
    assert all(low < high for low, high in found["metrics"].values())


def test_copies_of_the_rows_of_an_entity_make_no_metric_surer() -> None:
    label, good, _, _ = rows(40, 4)
    once = metric_intervals(("brier_score",), label, good, np.arange(40))
    label, good, entity = np.repeat(label, 50), np.repeat(good, 50), np.repeat(np.arange(40), 50)
    copies = metric_intervals(("brier_score",), label, good, entity)
    assert copies["entities"] == 40
    assert copies["metrics"]["brier_score"] == pytest.approx(once["metrics"]["brier_score"])


def test_rows_of_one_class_have_no_interval() -> None:
    assert metric_intervals(("roc_auc",), np.zeros(20), np.arange(20.0), np.arange(20))["metrics"] == {"roc_auc": None}
