import dataclasses

import numpy as np
import pandas as pd
import pytest

from shared_features.kernel.event_time import DAY_US
from tests.training.random_dataset import random_dataset
from training.datasets.time_split import TEST
from training.errors import DatasetError
from training.models.metrics.evaluation import (
    candidate_rows,
    entity_precision_at_k,
    evaluate_predictions,
    format_metrics,
)


def naive_precision(score, label, entity, day, k):
    """The Handbook's loop, as its chapter 4 writes it with pandas."""
    frame = pd.DataFrame({"score": score, "label": label, "entity": entity, "day": day})
    detected: list[int] = []
    precisions, positives = [], []
    for today in sorted(frame["day"].unique()):
        rows = frame[(frame["day"] == today) & ~frame["entity"].isin(detected)]
        positives.append(rows[rows["label"] == 1]["entity"].nunique())
        ranked = rows.groupby("entity").max().sort_values("score", ascending=False).head(k)
        found = list(ranked[ranked["label"] == 1].index)
        precisions.append(len(found) / k)
        detected += found
    return np.mean(precisions) if any(positives) else np.nan, precisions, positives


@pytest.mark.parametrize("seed", range(20))
def test_entity_precision_is_the_handbooks(seed):
    random = np.random.default_rng(seed)
    count, k = int(random.integers(1, 400)), int(random.integers(1, 30))
    score = random.permutation(count) / count  # no ties: the Handbook leaves them open
    label = (random.random(count) < 0.2).astype(float)
    entity, day = random.integers(0, 60, count), random.integers(0, 5, count)
    found = entity_precision_at_k(score, label, entity, day, k)
    mean, precisions, positives = naive_precision(score, label, entity, day, k)
    assert found.mean == pytest.approx(mean, abs=1e-15, nan_ok=True)
    assert list(found.per_day) == precisions
    assert list(found.positive_entities_per_day) == positives
    assert all(some <= every for some, every in zip(positives, found.entities_per_day, strict=True))


def test_ties_are_ranked_alike_in_any_order_of_rows():
    score, label = np.full(6, 0.5), np.array([1.0, 0, 0, 1, 0, 0])
    entity, day = np.arange(6), np.zeros(6, np.int64)
    order = np.array([3, 5, 1, 0, 2, 4])
    one = entity_precision_at_k(score, label, entity, day, 2)
    assert one == entity_precision_at_k(score, label[order], entity[order], day, 2)


def test_an_entity_known_to_be_positive_is_no_candidate_any_more():
    """As the Handbook's get_train_test_set: positive in training, or the gap or more before the test day."""
    dataset = random_dataset(days=8, train_days=3, gap_days=2, test_days=3)
    rows, day = candidate_rows(dataset)
    frame = pd.DataFrame(
        {
            "day": (dataset.event_time_us - dataset.manifest.split.start_us) // DAY_US,
            "entity": dataset.entity,
            "label": dataset.label,
        }
    )
    known = set(frame[(frame.day < 3) & (frame.label == 1)].entity)
    expected = []
    for today in range(3):
        new = frame[(frame.day == 3 + today - 1) & (frame.label == 1)]
        known |= set(new.entity)
        expected += list(frame[(frame.day == 5 + today) & ~frame.entity.isin(known)].index)
    assert sorted(rows.tolist()) == sorted(expected)
    assert 0 < len(rows) < len(dataset.rows(TEST))
    np.testing.assert_array_equal(day, frame.day.to_numpy()[rows] - 5)


def test_one_class_only_is_refused():
    dataset = random_dataset()
    nothing = dataclasses.replace(dataset, label=np.zeros(len(dataset)))
    with pytest.raises(DatasetError, match=r"labels of the test window are \[0.0\].*--test-from"):
        evaluate_predictions(nothing, np.zeros(len(dataset.rows(TEST))), 100)


def test_where_every_entity_is_known_to_be_positive_the_ranking_metrics_remain():
    dataset = dataclasses.replace(random_dataset(), entity=np.zeros(3_000, np.int64))
    rows = dataset.rows(TEST)
    metrics = evaluate_predictions(dataset, dataset.label[rows] + 0.0, 100)
    assert metrics["roc_auc"] == metrics["average_precision"] == 1.0
    assert metrics["precision_at_100_per_day"] is metrics["roc_auc_of_candidates"] is None
    said = format_metrics(metrics, ("precision_at_100_per_day", "roc_auc"))
    assert said == "roc_auc 1.0000, precision_at_100_per_day has no value"


def test_entity_precision_has_no_value_where_nobody_is_left_to_be_found():
    """It was 0 of every model, so that two of them were equal, and a floor said that the model was bad."""
    score, entity, day = np.linspace(0, 1, 6), np.arange(6) % 3, np.arange(6) // 3
    found = entity_precision_at_k(score, np.zeros(6), entity, day, 2)
    assert np.isnan(found.mean)
    assert found.per_day == (0.0, 0.0)


def test_precision_at_k_is_said_only_where_a_day_has_more_than_k_entities_to_choose_from():
    """A shop of 70 orders a day was told its precision at 100, which says how many orders there were."""
    dataset = random_dataset()
    score = np.linspace(0, 1, len(dataset.rows(TEST)))
    few = evaluate_predictions(dataset, score, 5)
    assert min(few["per_day"]["entities"]) > 5
    assert ", and of entities not known yet precision_at_5_per_day 0." in format_metrics(few)
    many = evaluate_predictions(dataset, score, 1_000_000)
    assert many["precision_at_1000000_per_day"] is not None
    assert "precision_at" not in format_metrics(many)
    assert "not known yet" not in format_metrics(many)


def test_each_k_that_is_asked_for_has_its_precision_and_the_days_are_those_of_the_first():
    dataset = random_dataset()
    score = np.linspace(0, 1, len(dataset.rows(TEST)))
    found, alone = evaluate_predictions(dataset, score, 5, 20), evaluate_predictions(dataset, score, 20)
    assert found["precision_at_20_per_day"] == alone["precision_at_20_per_day"]
    assert np.mean(found["per_day"]["precision"]) == found["precision_at_5_per_day"]
    assert format_metrics(found, ("precision_at_5_per_day",)).startswith("of entities not known yet precision_at_5_per")


def test_a_regression_is_measured_by_its_errors():
    dataset = random_dataset()
    dataset = dataclasses.replace(dataset, manifest=dataclasses.replace(dataset.manifest, task="regression"))
    rows = dataset.rows(TEST)
    label = np.arange(len(rows), dtype=np.float64)
    whole = np.zeros(len(dataset))
    whole[rows] = label
    dataset = dataclasses.replace(dataset, label=whole)
    off = np.where(np.arange(len(rows)) % 2 == 0, 3.0, -1.0)
    metrics = evaluate_predictions(dataset, label + off, 100)
    even = (len(rows) + 1) // 2
    squares = (9 * even + (len(rows) - even)) / len(rows)
    assert metrics["rmse"] == pytest.approx(squares**0.5)
    assert metrics["mae"] == pytest.approx((3 * even + len(rows) - even) / len(rows))
    assert metrics["r2"] == pytest.approx(1 - squares / np.var(label))
    assert evaluate_predictions(dataset, np.full(len(rows), label.mean()), 100)["r2"] == pytest.approx(0)
