"""Entity precision of any weights and of a whole test window is what a loop over days says, written with pandas."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_features.kernel.event_time import DAY_US
from tests.training.random_dataset import random_dataset
from training.datasets.time_split import TEST
from training.datasets.training_dataset import TrainingDataset
from training.models.comparison.metric_intervals import metric_intervals
from training.models.comparison.paired_bootstrap import compare
from training.models.comparison.weighted_metrics import weighted_metric
from training.models.comparison.window_measure import entity_precision, window_measure
from training.models.metrics.evaluation import evaluate_predictions

DATASET = random_dataset()
ROWS = DATASET.rows(TEST)
LABEL = DATASET.label[ROWS]
_RANDOM = np.random.default_rng(5)
GOOD = np.round(np.clip(0.4 * LABEL + _RANDOM.normal(0.3, 0.2, len(ROWS)), 0, 1), 2)  # with ties
NOISE = _RANDOM.random(len(ROWS))
NAME = "precision_at_5_per_day"


def looked_at(rows: pd.DataFrame, k: int) -> float:
    """The definition: each day somebody looks at the k entities with the highest scores that were not found before."""
    found: set[Any] = set()
    shares = []
    for _, today in rows.groupby("day"):
        left = today[~today["entity"].isin(found)].groupby("entity", as_index=False)[["score", "positive"]].max()
        first = left.sort_values(["score", "entity"], ascending=[False, True]).head(k)
        found |= set(first[first["positive"]]["entity"])
        shares.append(first["positive"].sum() / k)
    return float(np.mean(shares)) if rows["positive"].any() else float("nan")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(0, 60), st.integers(0, 3))
def test_a_weight_is_how_often_an_entity_with_all_its_rows_is_there(seed: int, k: int, rows: int, most: int) -> None:
    random = np.random.default_rng(seed)
    score, positive = random.integers(0, 5, rows) / 4, random.random(rows) < 0.3
    entity, day = random.integers(0, 15, rows), random.integers(0, 3, rows)
    times = random.integers(0, most + 1, 15)[entity] if most else np.ones(rows, np.int64)
    found = entity_precision(positive.astype(np.float64), score, entity, day, k)(times.astype(np.float64))
    copy = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    columns = {"score": score, "positive": positive, "entity": entity * 10, "day": day}
    every = pd.DataFrame(columns).loc[np.repeat(np.arange(rows), times)]
    every["entity"] += copy
    assert found == pytest.approx(looked_at(every, k), abs=1e-12, nan_ok=True)


def to_be_found(dataset: TrainingDataset, score: Any) -> pd.DataFrame:
    """The rows of the test window without those of entities that are known to be positive on the day, one by one."""
    split = dataset.manifest.split
    every = list(
        zip(dataset.event_time_us.tolist(), dataset.entity.tolist(), (dataset.label > 0).tolist(), strict=True)
    )
    rows = []
    for row, of_row in zip(dataset.rows(TEST), score, strict=True):
        at, entity, positive = every[row]
        day = (at - split.test_start_us) // DAY_US
        known_us = split.test_start_us + day * DAY_US - split.gap_us
        if not any(their_at < known_us for their_at, their, broke in every if their == entity and broke):
            rows.append((day, entity, positive, of_row))
    return pd.DataFrame(rows, columns=["day", "entity", "positive", "score"])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(1, 12), st.sampled_from((12, 60, 400)))
def test_over_a_test_window_it_is_the_loop_over_its_days(seed: int, gap_days: int, k: int, entities: int) -> None:
    dataset = random_dataset(rows=400, days=6 + gap_days, train_days=3, gap_days=gap_days, seed=seed)
    random = np.random.default_rng(seed)
    dataset = replace(dataset, entity=random.integers(0, entities, len(dataset)))
    label = dataset.label[dataset.rows(TEST)]
    score = np.round(0.3 * label + 0.7 * random.random(len(label)), 1)
    want = looked_at(to_be_found(dataset, score), k)
    name = f"precision_at_{k}_per_day"
    assert window_measure(dataset)(name, label, score)(np.ones(len(label))) == pytest.approx(want, nan_ok=True)
    told = evaluate_predictions(dataset, score, k)[name]
    assert told == (None if np.isnan(want) else pytest.approx(want, abs=1e-12))


def test_the_other_metrics_are_as_they_were() -> None:
    ones = np.ones(len(ROWS))
    assert window_measure(DATASET)("roc_auc", LABEL, GOOD)(ones) == weighted_metric("roc_auc", LABEL, GOOD)(ones)


def test_it_has_an_interval_and_tells_the_better_model_whichever_side_it_is_on() -> None:
    metric, entity, measure = "precision_at_20_per_day", DATASET.entity[ROWS], window_measure(DATASET)
    low, high = metric_intervals((metric,), LABEL, GOOD, entity, measure=measure)["metrics"][metric]
    assert low < evaluate_predictions(DATASET, GOOD, 20)[metric] < high
    found = compare(metric, LABEL, GOOD, NOISE, entity, 0, measure)
    turned = compare(metric, LABEL, NOISE, GOOD, entity, 0, measure)
    assert (found.verdict, turned.verdict) == ("better", "worse")


def test_where_no_entity_is_left_to_be_found_there_is_no_interval() -> None:
    known = replace(DATASET, entity=np.zeros(len(DATASET), np.int64))
    found = metric_intervals((NAME,), LABEL, GOOD, known.entity[ROWS], measure=window_measure(known))
    assert found["metrics"] == {NAME: None}
